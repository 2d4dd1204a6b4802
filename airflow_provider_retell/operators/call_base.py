"""Base classes of the operators for calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell._compat import BaseOperatorLink
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.links.retell import RetellCallLink, link_call
from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.operators.record import RecordOperator, WaitingRecordOperator

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.choices import Until
    from airflow_provider_retell.triggers.base import PollTrigger


class CallOperator(RecordOperator):
    """Base class of the operators that act on one existing call. Their tasks link to the call in Retell's dashboard."""

    template_fields: Sequence[str] = ("call_id", *RetellOperator.template_fields)
    noun: ClassVar[Noun] = "call"
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellCallLink(),)

    def __init__(self, *, call_id: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id

    def selected_id(self, context: Context) -> str:
        """Return the rendered call id, and link the task to the call."""
        call_id = super().selected_id(context)
        link_call(self, context, call_id)
        return call_id


class WaitingOperator(WaitingRecordOperator):
    """Base class of the operators that can wait for a call. The parameters are those of the base class."""

    noun: ClassVar[Noun] = "call"

    def wait_for_call(
        self,
        call_id: str,
        until: Until,
        *,
        stop_on_kill: bool = False,
        deadline: float | None = None,
        analysis_fields: tuple[str, ...] = (),
        state: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the call's slim form once it has reached the state *until*.

        If the operator is deferrable, the task leaves the worker, and continues in :meth:`after_wait`.

        :param stop_on_kill: True to hang up if the task is killed while it is deferred.
        :param deadline: epoch seconds of a wait that has begun; ``wait_timeout`` from now if not given.
        :param analysis_fields: the fields of the analysis that the result contains.
        :param state: values for :meth:`after_event`.
        """
        from airflow_provider_retell.api.calls.waits import CallReached

        self._waiting_for = call_id
        return self.wait_for(
            CallReached(call_id, until, analysis_fields),
            deadline=deadline,
            resumed=deadline is not None,
            trigger_options={"stop_on_kill": stop_on_kill},
            state=state,
        )

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger that waits for a call."""
        from airflow_provider_retell.triggers.call import CallTrigger

        return CallTrigger
