"""
### From a query to a result for each person

A campaign calls the people of a query, and calls those who were not reached again, in at most three rounds. Each round
waits until Retell has analyzed its calls. `save` writes one row per person to the warehouse: the outcome, the analysis
and the cost. `summarize` returns the totals.

`sample_people` -> `due` -> `round_1` -> `round_2` -> `round_3` -> `save` and `summarize`

- Retries, crashes and clears never call a person twice in a round: see `docs/placing.md`.
- A person without a valid number, or one who does not want to be called, is skipped and does not fail the run.
- Airflow stores ids, outcomes and costs. The phone numbers stay in the warehouse: `to_call` reads them when the task
  of a call runs.
- A round has at most 1,024 people, because Airflow maps a task at most that many times (`[core] max_map_length`).
  `docs/campaigns.md` shows how to call more of them with batches.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the connection `warehouse` to any SQL database (here SQLite, from `apache-airflow-providers-sqlite`)
- the Airflow variable `retell_from_number`: a phone number of your organization
- a running triggerer
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import BaseHook, PokeReturnValue, dag, task, task_group
except ImportError:  # Airflow 2, 3.0
    from airflow.hooks.base import BaseHook
    from airflow.sensors.base import PokeReturnValue

    try:
        from airflow.sdk import dag, task, task_group
    except ImportError:  # Airflow 2
        from airflow.decorators import dag, task, task_group

from airflow_provider_retell.operators import CreatePhoneCallOperator

ROUNDS = 3
# The pause between the last call of a round and the next round.
PAUSE = timedelta(minutes=float(os.environ.get("RETELL_REDIAL_MINUTES", "30")))
# An answering machine is not a person.
NOT_A_PERSON = ("voicemail_reached", "ivr_reached")


def warehouse() -> Any:
    """Return the SQL hook of the warehouse."""
    return BaseHook.get_connection("warehouse").get_hook()


def to_call(customer: str) -> dict[str, Any]:
    """Return the arguments of the call to a customer. Only the task of the call has them; XCom does not."""
    phone, name = warehouse().get_first("select phone, name from people where customer = ?", [customer])
    return {
        "to_number": phone,
        "retell_llm_dynamic_variables": {"name": name},
        "metadata": {"customer": customer},
    }


def is_reached(call: dict[str, Any]) -> bool:
    """Return True if a person answered."""
    return (
        call["call_status"] == "ended"
        and call.get("disconnection_reason") not in NOT_A_PERSON
        and not call["analysis"]["in_voicemail"]
    )


@dag(
    schedule="0 15 * * 1-5",  # in UTC; choose an hour at which your customers may be called
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def campaign_from_query() -> None:
    """Call the people of a query in rounds, and save a result for each of them."""

    @task
    def sample_people() -> None:
        """Fill the table with sample rows; the numbers are fictitious. In production, your pipeline does this."""
        people = [
            ("C-1001", "Ada", "+14155550101"),
            ("C-1002", "Grace", "+14155550102"),
            ("C-1003", "Edsger", "+14155550103"),
            ("C-1004", "Barbara", ""),  # has no number
        ]
        hook = warehouse()
        hook.run("create table if not exists people (customer text, name text, phone text)")
        hook.run("delete from people")
        # Not hook.run(): it logs the values.
        hook.insert_rows("people", people)

    @task
    def due() -> list[str]:
        """Return the ids of the people to call, in the same order if the task is cleared."""
        return [customer for (customer,) in warehouse().get_records("select customer from people order by 1")]

    def place_calls(people: Any, number: int) -> dict[str, Any]:
        """Call the people of one round, and return the task with their results by person."""

        @task_group(group_id=f"round_{number}")
        def one_round() -> Any:
            """Call everybody, and collect the results."""
            # One mapped task per person. The function of `map` runs in these tasks.
            call = CreatePhoneCallOperator.partial(
                task_id="call",
                from_number="{{ var.value.retell_from_number }}",
                honor_internal_dnc=True,
                on_do_not_call="skip",
                on_invalid_number="skip",
                wait_until="analyzed",
                analysis_fields=["call_successful", "in_voicemail", "user_sentiment"],
                deferrable=True,
                poll_interval=5,
                max_active_tis_per_dag=20,  # the organization's limit of concurrent calls
                # Airflow shows the id of the person in place of the map index.
                map_index_template=f"{{{{ ti.xcom_pull('{people.operator.task_id}')[ti.map_index] }}}}",
            ).expand_kwargs(people.map(to_call))

            @task(trigger_rule="none_failed")
            def results(customers: list[str] | None, ti: Any = None) -> list[dict[str, Any]]:
                """Return one result per person of this round."""
                found = []
                for index, customer in enumerate(customers or []):
                    result = {"customer": customer, "round": number}
                    task_id = f"round_{number}.call"
                    outcome = ti.xcom_pull(task_ids=task_id, map_indexes=index, key="outcome")
                    if outcome != "placed":  # the task was skipped, and has no result
                        found.append(result | {"outcome": outcome, "can_redial": False})
                        continue
                    placed = ti.xcom_pull(task_ids=task_id, map_indexes=index)
                    reached = is_reached(placed)
                    found.append(
                        result
                        | {"outcome": "reached" if reached else "not reached", "can_redial": not reached}
                        | {"call_id": placed["call_id"], "ended_at": placed.get("end_timestamp") or 0}
                        | {"cents": placed.get("call_cost", {}).get("cents", 0), **placed["analysis"]}
                    )
                return found

            collected = results(people)
            call >> collected
            return collected

        return one_round()

    @task.sensor(
        mode="reschedule", poke_interval=60, timeout=PAUSE.total_seconds() + 3600, trigger_rule="none_failed"
    )
    def not_reached(results: list[dict[str, Any]] | None) -> PokeReturnValue:
        """Wait until the pause is over, and return the people to call again."""
        again = [result for result in results or [] if result["can_redial"]]
        last = max((result["ended_at"] for result in again), default=0) / 1000
        is_over = datetime.now(timezone.utc).timestamp() >= last + PAUSE.total_seconds()
        return PokeReturnValue(not again or is_over, [result["customer"] for result in again])

    @task(trigger_rule="none_failed")
    def save(rounds: list[Any]) -> None:
        """Write the last result of each person to the warehouse. A repeated run replaces the rows."""
        columns = ("customer", "outcome", "round", "call_id", "call_successful", "user_sentiment", "cents")
        hook = warehouse()
        hook.run(f"create table if not exists campaign_results ({', '.join(columns)})")
        hook.run("delete from campaign_results")
        last = {result["customer"]: result for results in rounds for result in results or []}
        for result in last.values():
            values = tuple(result.get(column) for column in columns)
            hook.run("insert into campaign_results values (?, ?, ?, ?, ?, ?, ?)", parameters=values)

    @task(trigger_rule="none_failed")
    def summarize(rounds: list[Any]) -> dict[str, Any]:
        """Return the totals. Yours could send them to a chat channel."""
        everything = [result for results in rounds for result in results or []]
        last = {result["customer"]: result["outcome"] for result in everything}
        outcomes = list(last.values())
        return {
            "people": len(last),
            "outcomes": {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
            "calls": sum("call_id" in result for result in everything),
            "cents": round(sum(result.get("cents", 0) for result in everything), 4),
        }

    people = due()
    sample_people() >> people
    rounds = [place_calls(people, 1)]
    for number in range(2, ROUNDS + 1):
        rounds.append(place_calls(not_reached.override(task_id=f"wait_{number}")(rounds[-1]), number))
    save(rounds)
    summarize(rounds)


campaign_from_query()
