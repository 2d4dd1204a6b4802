"""Errors of templates, without the values in them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from airflow_provider_retell._compat import AirflowException
from airflow_provider_retell.api.errors import RetellError

_QUOTED = re.compile(r"'(\w+(?: object)?)'|'[^']*'|\"[^\"]*\"")
# Of Jinja, Airflow 2, and Airflow 3.
_NO_VARIABLE = re.compile(
    r"'[\w.]*\.(?:VariableAccessor|_Variables) object' has no attribute '(\w+)'|Variable (\w+) does not exist"
    r"|VARIABLE_NOT_FOUND: \{'(?:key': '|message': 'Variable )(\w+)(?: not found)?'\}"
)
_UNDEFINED = re.compile(r"'(\w+)' is undefined")
_WORD = re.compile(r"\w+")


def render_error(name: str, error: Exception, template: Any, *, hint: bool) -> Exception:
    """Return an error that can be logged: Airflow's own code logs the template, and other errors may quote values.

    :param template: the value of the field before rendering, or None if it may come from data. The message quotes only
        words that are in it.
    :param hint: True to explain how to send a variable of the agent.
    """
    from jinja2 import TemplateError, UndefinedError

    from airflow_provider_retell.common.user_code import place_in_user_code

    if isinstance(error, (AirflowException, RetellError)):
        return error
    if template is not None and error.args and (missing := _NO_VARIABLE.fullmatch(str(error.args[0]))):
        key = missing[missing.lastindex or 0]
        return RetellError(
            f"{name} could not be rendered: the Airflow Variable {key!r} is not defined. Define it (Admin, Variables), "
            f"or set AIRFLOW_VAR_{key.upper()} where the task runs"
        )
    place = place_in_user_code(error)
    reason, variable = type(error).__name__ + (f" in {place}" if place else ""), "name"
    if isinstance(error, TemplateError) and template is not None:
        message, words = error.message or "", frozenset(_WORD.findall(str(template)))
        # The others are values that the template computes, such as the key in row[name].
        reason += ": " + _QUOTED.sub(
            lambda quoted: quoted[0] if _is_name(quoted[1], words) else "'...'", message
        )
        undefined = _UNDEFINED.fullmatch(message)
        variable = undefined[1] if undefined else variable
    advice = "Check that line" if place else "Check the template"
    if isinstance(error, UndefinedError) and hint:
        variable = "{{" + variable + "}}"
        advice += f". If {variable} is a variable of the agent, write {{% raw %}}{variable}{{% endraw %}}"
    return RetellError(f"{name} could not be rendered: {reason}. {advice}")


def _is_name(quoted: str | None, words: Collection[str]) -> bool:
    """Return True for a word of the template, and for a type such as ``dict object``."""
    return quoted is not None and (quoted in words or quoted.endswith(" object"))
