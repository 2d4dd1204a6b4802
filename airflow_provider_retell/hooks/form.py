"""The connection form for Airflow before 3.2, which reads it from the hook. Later versions read the metadata."""

from __future__ import annotations

from typing import Any

from airflow_provider_retell.get_provider_info import CONNECTION_FORM


def widgets() -> dict[str, Any]:
    """Return the extra fields as WTForms fields. Requires Flask-AppBuilder, a dependency of Airflow's older UI."""
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
    from wtforms import IntegerField, StringField
    from wtforms.validators import NumberRange, Optional, Regexp

    fields: dict[str, Any] = {}
    for name, field in CONNECTION_FORM["conn-fields"].items():
        schema = field["schema"]
        if "integer" in schema["type"]:
            kind, rule = IntegerField, NumberRange(min=schema["minimum"], max=schema["maximum"])
        else:
            kind, rule = StringField, Regexp(schema["pattern"])
        fields[name] = kind(
            field["label"],
            description=field["description"],
            validators=[Optional(), rule],
            widget=BS3TextFieldWidget(),
        )
    return fields


def field_behavior() -> dict[str, Any]:
    """Return the hidden and the renamed standard fields, in the format of the hook."""
    form = {key.replace("-", "_"): value for key, value in CONNECTION_FORM["ui-field-behaviour"].items()}
    # Only the older form can hide the raw JSON of the extra fields.
    return {**form, "hidden_fields": [*form["hidden_fields"], "extra"]}
