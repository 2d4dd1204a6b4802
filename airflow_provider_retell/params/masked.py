"""Templated fields whose values must not be shown.

Airflow stores what templated fields render to and shows it under "Rendered Templates". For metadata that would
put customers' data into Airflow's database, so the rendered value is wrapped: people see the keys, tasks the value.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any


class Masked:
    """A rendered value that shows only its keys."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def serialize(self) -> Any:
        """Return what Airflow may store and show."""
        if hasattr(self.value, "serialize"):
            return self.value.serialize()
        if isinstance(self.value, (list, tuple)):
            return f"{len(self.value)} rows"
        try:
            value = as_object(self.value, "")
        except ValueError:
            return "***"
        return None if value is None else {str(key): "***" for key in value}

    def __str__(self) -> str:
        shown = self.serialize()
        return shown if isinstance(shown, str) else json.dumps(shown)

    __repr__ = __str__

    def __bool__(self) -> bool:
        return bool(self.value)


class MaskedField:
    """An attribute that wraps what it is set to from the second time on.

    The constructor sets the template, which is code and may be seen; rendering sets the value, which may not.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_sealed_{name}"

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        try:
            return instance.__dict__[self._name]
        except KeyError:
            raise AttributeError(self._name) from None

    def __set__(self, instance: Any, value: Any) -> None:
        rendered = self._name in instance.__dict__ and not isinstance(value, Masked)
        # None that a template renders to is not None that stands in the DAG, for "not given".
        given = rendered and instance.__dict__[self._name] is not None
        instance.__dict__[self._name] = Masked(value) if given else value


def unmask(value: Any) -> Any:
    """Return the value itself, sealed or not."""
    return value.value if isinstance(value, Masked) else value


def as_text(value: Any, name: str) -> str | None:
    """Return a templated field that must be text; None if it was not given.

    Native rendering makes a number of text that looks like one.

    :raises ValueError: if it was given and rendered to nothing.
    """
    if value is None:
        return None
    text = str(unmask(value))
    _check_rendered(text, name)
    return text


def as_object(value: Any, name: str) -> Mapping[str, Any] | None:
    """Return a templated field that must be a JSON object, whatever form it was rendered to.

    Text may hold JSON, or a Python dict of plain values: that is what ``"{{ ti.xcom_pull('transform') }}"`` renders
    to. With ``render_template_as_native_obj`` the same template gives the dict itself; both end the same here.

    :raises ValueError: if it is neither; the message has the type, never the value.
    """
    found: Mapping[str, Any] | None = _parsed(value, name, Mapping, "a dict", "a JSON object")
    return found


def as_list(value: Any, name: str) -> Any:
    """Return a templated field that must be a JSON list, as :func:`as_object` does."""
    return _parsed(value, name, Sequence, "a list", "a JSON list")


def as_bool(value: Any, name: str) -> bool:
    """Return a templated field that must be True or False, whatever form it was rendered to.

    ``"{{ params.dry_run }}"`` renders to the text ``"False"``, which Python takes for true.

    :raises ValueError: if it is neither True, False, 1, 0 nor the text of one of them.
    """
    from airflow_provider_retell.api.errors import RetellInputError

    found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())
    if found is None:
        raise RetellInputError(f"{name} must be True or False, or a template that renders to one of them")
    return found


def _check_rendered(text: str, name: str) -> None:
    from airflow_provider_retell.api.errors import RetellInputError

    if text.strip() in ("", "None", "null"):
        raise RetellInputError(
            f"{name} rendered to nothing: what it was made from had no value (an XCom that was never pushed, say)"
        )


def _parsed(value: Any, name: str, kind: type, python: str, form: str) -> Any:
    from airflow_provider_retell.api.errors import RetellInputError

    if isinstance(value, Masked):
        value = str(None) if value.value is None else value.value
    if isinstance(value, str):
        _check_rendered(value, name)
        for parse in (json.loads, ast.literal_eval):
            try:
                parsed = parse(value)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            if isinstance(parsed, kind) and not isinstance(parsed, str):
                return parsed
        raise RetellInputError(
            f"{name} rendered to text that is not {form} ({len(value)} characters). Give {python}, or end the "
            "template with '| tojson'"
        )
    if value is None or isinstance(value, kind):
        return value
    raise RetellInputError(f"{name} must be {python} or the text of {form}, not {type(value).__name__}")
