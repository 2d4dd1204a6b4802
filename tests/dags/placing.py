"""DAGs that place calls in a real Airflow: one whose first try fails behind the call, one full of private values."""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

from airflow_provider_retell._compat import BaseNotifier, init_notifier
from airflow_provider_retell.operators.batch_call import CreateBatchCallOperator
from airflow_provider_retell.operators.phone_call import CreatePhoneCallOperator


def facts() -> dict[str, str]:
    """The private values, by name; the test puts them into the environment."""
    return {name: os.environ[f"PRIVATE_{name.upper()}"] for name in ("note", "phone", "bad_phone")}


DEFAULTS = {"from_number": "+14155550100", "deferrable": False}

with DAG(
    "place_twice", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), default_args=DEFAULTS
):
    CreatePhoneCallOperator(
        task_id="place",
        to_number="+14155550123",
        wait_until="ended",
        poll_interval=0.2,
        max_poll_failures=0,
        retries=1,
        retry_delay=timedelta(0),
    )

with DAG(
    "private_calls",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    user_defined_macros={"facts": facts},
    default_args=DEFAULTS,
):
    note = {"note": "{{ facts().note }}"}
    CreatePhoneCallOperator(
        task_id="place", to_number="{{ facts().phone }}", metadata=note, retell_llm_dynamic_variables=note
    )
    CreatePhoneCallOperator.partial(task_id="mapped", to_number="{{ facts().phone }}").expand(
        metadata=[note, note]
    )
    CreatePhoneCallOperator(task_id="bad", to_number="{{ facts().bad_phone }}", metadata=note)
    CreateBatchCallOperator(task_id="batch", tasks=[{"to_number": "{{ facts().phone }}", "metadata": note}])
    CreateBatchCallOperator(
        task_id="bad_batch", tasks=[{"to_number": "{{ facts().bad_phone }}", "metadata": note}]
    )


log = logging.getLogger("airflow.task")


def report_success(context: Any) -> None:
    """Log a private field after the task has run."""
    log.info("CALLBACK %s", context["task"].metadata["customer"])


def before_and_after(context: Any, *_: Any) -> None:
    """Log a private field before and after the task runs."""
    log.info("HOOK %s", context["task"].metadata["customer"])


class LogNotifier(BaseNotifier):
    """Log a template, as notifiers of other packages send it."""

    template_fields = ("text",)

    def __init__(self, text: str) -> None:
        init_notifier(self, {})
        self.text = text

    def notify(self, context: Any) -> None:
        """Log the text."""
        log.info("NOTIFIER %s", self.text)


# Airflow renders map_index_template again after the task has run, when the fields are masked.
for native in (False, True):
    with DAG(
        "masked_calls_native" if native else "masked_calls",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        user_defined_macros={"facts": facts},
        default_args=DEFAULTS | {"retries": 0},
        render_template_as_native_obj=native,
    ) as masked_calls:

        @masked_calls.task(show_return_value_in_logs=False)
        def customers() -> list[dict[str, Any]]:
            """Return the calls to place, with a private key: XCom is the only place that may have them."""
            metadata = {"customer": facts()["note"], "score": 7}
            return [{"to_number": facts()["phone"], "metadata": metadata}] * 2

        CreatePhoneCallOperator.partial(
            task_id="by_dict",
            map_index_template="{{ task.metadata['customer'].split('-') | first }} {{ task.metadata.score + 1 }} "
            "{{ '%d' % task.metadata.score }} {{ task.to_number[-4:] }}",
            on_success_callback=[
                report_success,
                LogNotifier("{{ task.metadata.customer | upper }} {{ task.to_number }}"),
            ],
            pre_execute=before_and_after,
            post_execute=before_and_after,
        ).expand_kwargs(customers())
        CreatePhoneCallOperator.partial(
            task_id="by_template",
            to_number="{{ facts().phone }}",
            metadata={"customer": "{{ facts().note }}"},
            map_index_template="{{ task.metadata.customer.upper() }} {{ task.metadata | tojson }}",
            on_success_callback=report_success,
        ).expand(override_agent_id=["agent_1", "agent_2"])
