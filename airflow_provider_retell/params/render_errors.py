"""Errors of templates, without the values in them."""

from __future__ import annotations

import re
import sysconfig
import traceback
from collections.abc import Collection
from pathlib import Path
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
_PACKAGES = ("airflow", "airflow_provider_retell", "jinja2")
_LIBRARIES = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))


def render_error(name: str, error: Exception, template: Any, *, hint: bool) -> Exception:
    """Return an error that can be logged: Airflow's own code logs the template, and other errors may quote values.

    :param template: the value of the field before rendering, or None if it may come from data. The message quotes only
        words that are in it.
    :param hint: True to explain how to send a variable of the agent.
    """
    from jinja2 import TemplateError, UndefinedError

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


def place_in_user_code(error: BaseException) -> str:
    """Return the innermost line of the user's code that raised *error*, as ``"people(), line 12 of campaign.py"``.

    Code of Airflow, Jinja, this package, the standard library and installed packages is not the user's. The result is
    empty if the traceback has no other code.
    """
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if _is_of_user(code.co_filename, str(frame.f_globals.get("__name__"))):
            # A lambda has no name.
            function = f"{code.co_name}(), " if code.co_name.isidentifier() else ""
            place = f"{function}line {line} of {Path(code.co_filename).name}"
    return place


def _is_of_user(file: str, module: str) -> bool:
    path = Path(file)
    # Compiled templates have names such as "<template>". Not all files below a folder "airflow" are Airflow's.
    return not (
        file.startswith("<")
        or any(path.is_relative_to(library) for library in _LIBRARIES)
        or module.partition(".")[0] in _PACKAGES
        or {"site-packages", "dist-packages"} & set(path.parts)
    )
