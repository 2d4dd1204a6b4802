"""
### Release an agent

A team keeps the handbook and the prompt of a voice agent in files. This DAG brings both to the agent, and publishes a
new version only if the simulation tests pass:

`refresh` the knowledge base -> `draft` a version -> `simulate` it -> `publish` it -> `snapshot` the configuration of
all agents

Every task can be retried, cleared and run again. Only the version that was simulated is published. If you clear `draft`
and it returns another version, `simulate` fails until you set `on_clear="resend"` on it and clear it.

If a simulation fails, no version is published. Fix the prompt or the test case and run the DAG again: it uses the same
draft and sends only differences. New documents are live as soon as `refresh` has added them.

Simulations cost money, and every run simulates, so trigger the DAG only if the prompt or the handbook has changed. A
run in which `refresh` and `draft` find no change simulates the published version: an earlier run may have failed after
it had made the change.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- an agent with a published version, a Retell LLM, a knowledge base and test cases
- the Airflow variables `retell_agent` and `retell_knowledge_base` (ids), `retell_handbook` (a folder of Markdown
  files), `retell_prompt` (a file) and `retell_reports` (a folder for reports and snapshots)

Trigger the DAG with `{"revision": "9f8a7c1"}` to use the revision of the prompt as the title of the version.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

try:
    from airflow.sdk import dag
except ImportError:  # Airflow 2
    from airflow.decorators import dag

from airflow_provider_retell.documents import FileDocuments
from airflow_provider_retell.operators import (
    DraftAgentVersionOperator,
    PublishAgentVersionOperator,
    RunBatchTestOperator,
    SnapshotAgentsOperator,
    SyncKnowledgeBaseOperator,
    TextFile,
)

AGENT = "{{ var.value.retell_agent }}"
REPORTS = "{{ var.value.retell_reports }}"
RUN = "{{ run_id | replace(':', '-') }}"
DRAFTED = "{{ ti.xcom_pull('draft')['version'] }}"
SIMULATED = "{{ ti.xcom_pull('simulate')['agent_version'] }}"


@dag(
    schedule=None,  # trigger it when the prompt or the handbook has changed
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # an agent has one release at a time
    params={"revision": "by hand"},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def release_agent() -> None:
    """Refresh, draft, simulate, publish, and take a snapshot."""
    # The knowledge base has no versions: calls use new documents at once.
    refresh = SyncKnowledgeBaseOperator(
        task_id="refresh",
        knowledge_base_id="{{ var.value.retell_knowledge_base }}",
        documents=FileDocuments("{{ var.value.retell_handbook }}", pattern="**/*.md"),
        report_path=f"{REPORTS}/knowledge_base/{RUN}.jsonl",
    )

    draft = DraftAgentVersionOperator(
        task_id="draft",
        agent_id=AGENT,
        # TextFile keeps variables such as {{customer_name}}, which Airflow would render.
        llm={"general_prompt": TextFile("{{ var.value.retell_prompt }}")},
    )

    simulate = RunBatchTestOperator(
        task_id="simulate",
        agent_id=AGENT,
        agent_version=DRAFTED,
        retry_failed=1,  # the verdicts of a model vary
        report_path=f"{REPORTS}/simulations/{RUN}.jsonl",
        deferrable=True,
    )

    publish = PublishAgentVersionOperator(
        task_id="publish",
        agent_id=AGENT,
        version=SIMULATED,
        # Fails if the draft was changed after its simulation.
        unchanged_since="{{ ti.xcom_pull('simulate')['modified_at'] }}",
        version_title="{{ params.revision }}",
        rebind_numbers=True,
    )

    snapshot = SnapshotAgentsOperator(task_id="snapshot", path=f"{REPORTS}/agents")

    refresh >> draft >> simulate >> publish >> snapshot


release_agent()
