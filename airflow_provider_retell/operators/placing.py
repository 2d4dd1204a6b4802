"""Base class of the operators that place phone calls."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException, BaseOperatorLink
from airflow_provider_retell.api.errors import RESEND, NotFoundError, RetellError
from airflow_provider_retell.api.phone_numbers.e164 import IGNORE
from airflow_provider_retell.api.versions import version_number
from airflow_provider_retell.hooks.metrics import count_calls_placed
from airflow_provider_retell.links.retell import RetellCallLink
from airflow_provider_retell.operators.at_most_once import OnClear, check_on_clear
from airflow_provider_retell.operators.call_base import WaitingOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_object, as_phone_number, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.calls.models import Call

log = logging.getLogger(__name__)


class PlacingOperator(WaitingOperator):
    """Base class of the operators that place phone calls. ``CreatePhoneCallOperator`` describes the parameters."""

    template_fields: Sequence[str] = (
        "from_number",
        "metadata",
        "retell_llm_dynamic_variables",
        "override_agent_id",
        "override_agent_version",
        "custom_sip_headers",
        "retell_conn_id",
    )
    masked_fields: Sequence[str] = (
        "from_number",
        "metadata",
        "retell_llm_dynamic_variables",
        "custom_sip_headers",
    )
    text_names: Sequence[str] = ("from_number",)
    agent_fields: Sequence[str] = ("retell_llm_dynamic_variables",)
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellCallLink(),)

    def __init__(
        self,
        *,
        from_number: str | XComArg,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        retell_llm_dynamic_variables: Mapping[str, str] | str | XComArg | None = None,
        override_agent_id: str | XComArg | None = None,
        override_agent_version: int | str | XComArg | None = None,
        agent_override: Mapping[str, Any] | None = None,
        custom_sip_headers: Mapping[str, str] | str | XComArg | None = None,
        ignore_e164_validation: bool | None = None,
        honor_internal_dnc: bool | None = None,
        on_clear: OnClear = "skip",
        stop_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_on_clear(on_clear)
        checks.mapping(agent_override=agent_override)
        if not (isinstance(custom_sip_headers, str) or hasattr(custom_sip_headers, "iter_references")):
            checks.mapping(custom_sip_headers=custom_sip_headers)
        checks.flag(
            ignore_e164_validation=ignore_e164_validation,
            honor_internal_dnc=honor_internal_dnc,
            stop_on_kill=stop_on_kill,
        )
        if not self.from_mapped and not ignore_e164_validation:
            checks.phone_number("from_number", from_number, IGNORE)
        self.from_number = from_number
        self.metadata = metadata
        self.retell_llm_dynamic_variables = retell_llm_dynamic_variables
        self.override_agent_id = override_agent_id
        self.override_agent_version = override_agent_version
        self.agent_override = agent_override
        self.custom_sip_headers = custom_sip_headers
        self.ignore_e164_validation = ignore_e164_validation
        self.honor_internal_dnc = honor_internal_dnc
        self.on_clear = on_clear
        self.stop_on_kill = stop_on_kill

    def on_kill(self) -> None:
        """Hang up if ``stop_on_kill`` is set and the task is waiting."""
        if not self.stop_on_kill or self._waiting_for is None:
            return
        try:
            self.hook.stop_call(self._waiting_for)
        except RetellError as error:
            log.warning(
                "Call %s could not be stopped: %s. Check whether it is still ongoing",
                self._waiting_for,
                error,
            )

    def place(self, context: Context, to_number: str, marks: Mapping[str, str], idempotency_key: str) -> Call:
        """Place a call.

        :param marks: more metadata of the call, by which later tries find it.
        :param idempotency_key: for an hour, Retell responds to the same key with the same call.
        """
        metadata = self.rendered("metadata", as_object) or {}
        variables = self.rendered("retell_llm_dynamic_variables", as_object)
        call = self.hook.create_phone_call(
            self.phone_number(self.from_number, "from_number"),
            to_number,
            metadata={**metadata, **marks},
            retell_llm_dynamic_variables=variables,
            override_agent_id=self._agent("override_agent_id"),
            override_agent_version=version_number(self._agent("override_agent_version")),
            agent_override=self.agent_override,
            custom_sip_headers=self.rendered("custom_sip_headers", as_object),
            ignore_e164_validation=self.ignore_e164_validation,
            honor_internal_dnc=self.honor_internal_dnc,
            idempotency_key=idempotency_key,
        )
        count_calls_placed(1, context["ti"])
        return call

    def stored_call(self, call_id: str) -> Call:
        """Return a call that this task has placed, by the id in the task's state store."""
        try:
            return self.hook.get_call(call_id)
        except NotFoundError as error:
            raise AirflowFailException(
                f"Call {call_id}, which this task placed before, was deleted, or the connection now has the API key "
                "of another organization. Nobody was called. To place another call, "
                f"{RESEND}"
            ) from error

    def phone_number(self, value: Any, name: str) -> str:
        """Return a rendered phone number.

        :raises RetellInputError: if it is empty or invalid.
        """
        only_e164 = not self.ignore_e164_validation
        return as_phone_number(unmask(value), name, only_e164=only_e164, advice=IGNORE)

    def _agent(self, name: str) -> str | None:
        # Empty text selects the number's own agent. A missing value does not, because it may be a mistake.
        return None if getattr(self, name) == "" else self.rendered(name, as_text)
