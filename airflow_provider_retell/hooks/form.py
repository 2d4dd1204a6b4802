"""The connection form for Airflow versions that ask the hook for it, made from the package's metadata."""

from __future__ import annotations

from typing import Any

from airflow_provider_retell.get_provider_info import CONNECTION_FORM


def widgets() -> dict[str, Any]:
    """Return the extra fields as WTForms fields. Needs Flask-AppBuilder, which Airflow's older UI brings."""
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
    """Return which standard fields are hidden or renamed, with underscores as the hook's form has them."""
    form = {key.replace("-", "_"): value for key, value in CONNECTION_FORM["ui-field-behaviour"].items()}
    # Only the older form can hide the raw JSON of the extras; the newer one always shows it.
    return {**form, "hidden_fields": [*form["hidden_fields"], "extra"]}
