"""Rendering of the template fields of operators and sensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.params.masked import Masked, mask, unmask

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator as _Task
else:
    _Task = object

R = TypeVar("R")

_QUOTED = re.compile(r"'(\w+(?: object)?)'|'[^']*'|\"[^\"]*\"")


class TemplatedTask(_Task):
    """Mixin of operators and sensors that controls how Airflow renders their template fields.

    :cvar masked_fields: the template fields whose rendered values are private.
    :cvar template_hint: the next step after a failed rendering, for the error message.
    """

    masked_fields: Sequence[str] = ()
    template_hint: str = "Check the template"

    def given(self, name: str) -> bool:
        """Return True if the DAG file sets template field *name*, even if its template renders to None."""
        names: frozenset[str] | None = self.__dict__.get("_given")
        return getattr(self, name) is not None if names is None else name in names

    def rendered(self, name: str, convert: Callable[[Any, str], R], where: str = "") -> R | None:
        """Return the value of template field *name*, or None if the DAG file does not set it.

        :param convert: a function of :mod:`airflow_provider_retell.params.rendered`.
        :param where: put before the name in error messages.
        """
        return convert(unmask(getattr(self, name)), where + name) if self.given(name) else None

    def depend_on_xcoms_in(self, value: Any) -> None:
        """Run this task after the tasks whose output is in the template fields of *value*.

        Airflow does so for outputs in its own template fields, and in lists and dicts there, but not in other objects.
        """
        # Mapped tasks have the dependencies of their mapped operator.
        if self.__dict__.get("_BaseOperator__from_mapped"):
            return
        if hasattr(value, "iter_references"):
            for operator, _ in value.iter_references():
                self.set_upstream(operator)
        elif isinstance(value, (list, tuple)):
            for item in value:
                self.depend_on_xcoms_in(item)
        elif isinstance(value, Mapping):
            self.depend_on_xcoms_in(list(value.values()))
        else:
            for name in getattr(value, "template_fields", ()):
                self.depend_on_xcoms_in(getattr(value, name))

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Any,
        jinja_env: Any,
        seen_oids: set[int],
    ) -> None:
        """Render the template fields of *parent*: this task, or an object in one of its fields.

        All versions of Airflow call this method, for mapped tasks on the task that was made from the mapped operator.
        """
        names, is_task = list(template_fields), parent is self
        private = [name for name in names if name in self.masked_fields] if is_task else names
        if is_task and "_given" not in self.__dict__:
            self._given = frozenset(name for name in names if getattr(self, name) is not None)
        super()._do_render_template_fields(
            parent, [name for name in names if name not in private], context, jinja_env, seen_oids
        )
        for name in private:
            value = getattr(parent, name)
            if value is None or isinstance(value, Masked):
                continue
            where = name if is_task else f"{type(parent).__name__}.{name}"
            try:
                error = None
                if callable(value):
                    value = value(context=context, jinja_env=jinja_env)
                else:
                    value = self.render_template(value, context, jinja_env, seen_oids)
            except Exception as caught:
                error = _render_error(where, caught, context, self.template_hint)
            if error is not None:
                raise error  # not in the except clause, so that the original error is not logged with it
            setattr(parent, name, mask(value) if is_task else value)


def _render_error(name: str, error: Exception, context: Any, hint: str) -> Exception:
    """Return an error that can be logged: Airflow's own code logs the template, and other errors may quote values."""
    from jinja2 import TemplateError

    from airflow_provider_retell._compat import AirflowException

    if isinstance(error, (AirflowException, RetellError)):
        return error
    reason = type(error).__name__
    # Airflow renders some values that a mapped task gets from other tasks, so the message could quote them.
    is_mapped = getattr(context.get("ti"), "map_index", -1) >= 0
    if isinstance(error, TemplateError) and not is_mapped:
        # Quoted parts are names from the template in most messages, but can be values that the template computes.
        reason += ": " + _QUOTED.sub(lambda quoted: quoted[0] if quoted[1] else "'...'", error.message or "")
    return RetellError(f"{name} could not be rendered: {reason}. {hint}")
