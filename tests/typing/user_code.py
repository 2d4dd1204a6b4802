"""Code as users write it, with everything that is public: type checkers read it, nothing runs it.

A line with an ignore comment is a mistake on purpose, and the checkers have to see it: an ignore that hides nothing is
an error for both. ``type: ignore`` is for mypy, and ``pyright: ignore`` for pyright.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from airflow.sdk import Asset, AssetWatcher, dag, task
from typing_extensions import assert_type

import airflow_provider_retell.operators
from airflow_provider_retell import __version__
from airflow_provider_retell.api.agents.models import (
    Agent,
    AgentPage,
    AgentSummary,
    AgentTag,
    AgentVersion,
    AgentVersionPage,
    ResponseEngine,
)
from airflow_provider_retell.api.calls.models import (
    BatchCall,
    Call,
    CallAnalysis,
    CallCost,
    CallPage,
    CallSummary,
    LiveUpdate,
)
from airflow_provider_retell.api.chats.models import Chat, ChatAnalysis, ChatCost, ChatPage, ChatSummary
from airflow_provider_retell.api.contacts.models import (
    Contact,
    ContactImport,
    ContactImportFile,
    ContactPage,
    ContactTag,
)
from airflow_provider_retell.api.engines.models import (
    ConversationFlow,
    ConversationFlowComponent,
    ConversationFlowPage,
    RetellLlm,
    RetellLlmPage,
)
from airflow_provider_retell.api.errors import (
    AgentVersionError,
    AuthenticationError,
    BadRequestError,
    CallNotEndedError,
    DocumentsFailedError,
    DoNotCallError,
    DriftError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RetellConfigError,
    RetellConnectionError,
    RetellError,
    RetellInputError,
    RetellResponseError,
    RetellStatusError,
    RetellTimeoutError,
    ServerError,
    SimulationFailedError,
    StorageConflictError,
    UnprocessableError,
    UpdateMismatchError,
    WaitFailedError,
    WaitTimeoutError,
)
from airflow_provider_retell.api.knowledge_bases.bodies import KnowledgeBaseFile
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase, KnowledgeBaseSource
from airflow_provider_retell.api.multipart import Content
from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from airflow_provider_retell.api.phone_numbers.models import BoundAgent, PhoneNumber, PhoneNumberPage
from airflow_provider_retell.api.simulations.models import (
    BatchTest,
    BatchTestPage,
    TestCaseDefinition,
    TestCaseDefinitionPage,
    TestRun,
    TestRunPage,
)
from airflow_provider_retell.bulk import FailedRows, FileRows, SqlRows
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.decorators import retell_bulk_update
from airflow_provider_retell.documents import FileDocuments, SqlDocuments
from airflow_provider_retell.emulator import (
    DEFAULT_QUOTAS,
    Clock,
    ContactOptions,
    Emulator,
    FakeTaskInstance,
    Fault,
    Faults,
    KnowledgeBaseOptions,
    Lifecycle,
    Options,
    Organization,
    RecordedRequest,
    Rule,
    Simulation,
    WebhookDelivery,
    fake_context,
    run_task,
)
from airflow_provider_retell.emulator.pytest_plugin import retell_connection, retell_emulator
from airflow_provider_retell.hooks import (
    AirflowApi,
    AirflowApiError,
    Rate,
    RetellAsyncHook,
    RetellHook,
    RetryLimits,
)
from airflow_provider_retell.hooks import (
    RetellError as HookError,
)
from airflow_provider_retell.links.report import RetellReportLink
from airflow_provider_retell.links.retell import RetellAgentLink, RetellCallLink
from airflow_provider_retell.notifications import PhoneCallNotifier
from airflow_provider_retell.operators import (
    ArchiveRecordingsOperator,
    BulkUpdateCallOperator,
    BulkUpdateChatOperator,
    CreateBatchCallOperator,
    CreatePhoneCallOperator,
    DeleteCallOperator,
    DeleteChatOperator,
    DeleteContactsOperator,
    DraftAgentVersionOperator,
    GetCallOperator,
    GetChatOperator,
    ImportContactsOperator,
    ListCallsOperator,
    ListChatsOperator,
    PhoneApprovalOperator,
    PublishAgentVersionOperator,
    RerunCallAnalysisOperator,
    RerunChatAnalysisOperator,
    RunBatchTestOperator,
    SnapshotAgentsOperator,
    StopCallOperator,
    SyncContactsOperator,
    SyncKnowledgeBaseOperator,
    SyncTestCasesOperator,
    TextFile,
    UpdateCallOperator,
    UpdateChatOperator,
    UpdateLiveCallOperator,
)
from airflow_provider_retell.policies import RetellRetryPolicy
from airflow_provider_retell.sensors import (
    BatchCallSensor,
    CallSensor,
    ChatSensor,
    ConcurrencySensor,
    KnowledgeBaseSensor,
)
from airflow_provider_retell.triggers import (
    BatchCallTrigger,
    BatchTestTrigger,
    CallEventTrigger,
    CallTrigger,
    ChatEventTrigger,
    ChatTrigger,
    ConcurrencyTrigger,
    KnowledgeBaseTrigger,
)

version: str = __version__


# -- a DAG file

call_someone = PhoneCallNotifier(from_number="+15550100001", to_number="+15550100002", cooldown=60.0)
ended_calls = Asset("ended", watchers=[AssetWatcher(name="ended", trigger=CallEventTrigger(event="ended"))])


@dag(
    schedule=[ended_calls],
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - as DAG files have it
    on_failure_callback=call_someone,
    default_args={"retry_policy": RetellRetryPolicy()},
)
def everything() -> None:
    @task
    def score() -> dict[str, Any]:
        return {"churn_risk": 0.81}

    @task
    async def respond() -> int | None:
        try:
            await AirflowApi("airflow_api").send("PATCH", "/dags", json={"is_paused": True})
        except AirflowApiError as error:
            return error.status
        return None

    @task
    def pick(answer: Any, key: str) -> Any:
        return answer[key]

    UpdateCallOperator(task_id="plain", call_id="call_1", metadata={"tier": "gold"})
    UpdateCallOperator(task_id="from_a_task", call_id="{{ params.call_id }}", metadata=score(), retries=3)
    UpdateCallOperator(
        task_id="all_of_it",
        call_id="call_1",
        metadata="{{ ti.xcom_pull('score') }}",
        data_storage_setting="everything_except_pii",
        custom_attributes={"attr_tier": "gold", "attr_age": 3},
        metadata_mode="merge",
        confirm_custom_attributes=True,
        wait_until="analyzed",
        deferrable=True,
        poll_interval=timedelta(seconds=10),
        max_poll_failures=3,
        wait_timeout=600,
        remove_metadata_keys=["old"],
        retell_conn_id="retell_eu",
    )
    UpdateCallOperator(task_id="wipe", call_id="call_1", clear_metadata=True)
    airflow_provider_retell.operators.UpdateCalOperator(task_id="misspelled")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    UpdateCallOperator(task_id="no_call", metadata={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    UpdateCallOperator(
        task_id="bad_mode",
        call_id="call_1",
        metadata={},
        metadata_mode="append",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    UpdateCallOperator(
        task_id="bad_metadata",
        call_id="call_1",
        metadata=["tier"],  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    UpdateCallOperator(
        task_id="bad_wait",
        call_id="call_1",
        metadata={},
        wait_until="answered",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )

    BulkUpdateCallOperator(
        task_id="sql",
        rows=SqlRows("warehouse", "select * from facts where day = %(day)s", parameters={"day": "{{ ds }}"}),
        metadata_columns={"tier": "customer_tier"},
        report_path="s3://bucket/{{ ds }}.jsonl",
        tolerate=("not_found",),
        quota="100/10",
        max_failed_ratio=0.01,
    )
    BulkUpdateCallOperator(task_id="from_a_task", rows=score())
    BulkUpdateCallOperator(task_id="file", rows=FileRows("s3://bucket/facts.csv"), metadata_columns=["tier"])
    BulkUpdateCallOperator(task_id="list", rows=[{"call_id": "call_1", "tier": "gold"}], dry_run=True)
    BulkUpdateCallOperator(task_id="function", rows=lambda: iter([{"call_id": "call_1", "tier": "gold"}]))
    BulkUpdateCallOperator(
        task_id="again", rows=FailedRows(FileRows("s3://bucket/facts.csv"), "s3://bucket/{{ ds }}.jsonl")
    )
    BulkUpdateCallOperator(
        task_id="bad_rows",
        rows=3,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    BulkUpdateCallOperator.partial(task_id="mapped", rows=[{"call_id": "call_1"}]).expand(
        retell_conn_id=["retell_eu", "retell_us"]
    )

    UpdateChatOperator(
        task_id="update_chat",
        chat_id="chat_1",
        metadata={"tier": "gold"},
        override_dynamic_variables={"name": "Ada"},
        data_storage_setting="basic_attributes_only",
        wait_until="ended",
    )
    UpdateChatOperator(
        task_id="bad_chat_wait",
        chat_id="chat_1",
        metadata={},
        wait_until="transfer_ended",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    BulkUpdateChatOperator(task_id="chats", rows=[{"chat_id": "chat_1", "n": 1}], tolerate=["not_found"])
    GetChatOperator(task_id="get_chat", chat_id="chat_1", path="s3://bucket/chat.json")
    SyncContactsOperator(
        task_id="contacts",
        rows=[{"phone_number": "+14155550123", "out": True}],
        columns={"plan": "plan"},
        do_not_call_column="out",
        tag_columns=["tag_vip"],
        nulls="write",
    )
    ImportContactsOperator(
        task_id="first_load",
        rows=[{"phone_number": "+14155550123", "out": True}],
        columns=["first_name"],
        do_not_call_column="out",
        wait_timeout=timedelta(hours=1),
        on_clear="resend",
    )
    ImportContactsOperator(
        task_id="bad_import",
        rows=[],
        wait_timeout="1h",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    DeleteContactsOperator(task_id="erase", rows=[{"phone_number": "+14155550123"}], dry_run=True)
    ListChatsOperator(task_id="list_chats", path="s3://bucket/chats.jsonl", without_metadata_key="tier")
    DeleteChatOperator(task_id="delete_chat", chat_id="chat_1", dry_run=True)
    RerunChatAnalysisOperator(task_id="rerun_chat", chat_id="chat_1", on_clear="resend")

    ListCallsOperator(
        task_id="list_calls", path="s3://bucket/calls.parquet", overlap=timedelta(0), fields=["call_id"]
    )
    ArchiveRecordingsOperator(
        task_id="archive", path="s3://bucket/{call_id}.wav", files=["recording", "transcript"], overlap=60
    )
    ArchiveRecordingsOperator(
        task_id="archive_rows", path="{call_id}.wav", rows=[{"call_id": "call_1"}], call_id_column="call_id"
    )
    GetCallOperator(task_id="get", call_id="call_1", path="s3://bucket/call.json", analysis_fields=["score"])
    placed = CreatePhoneCallOperator(
        task_id="place",
        from_number="+15550100001",
        to_number="+15550100002",
        retell_llm_dynamic_variables={"name": "Ada"},
        wait_until="analyzed",
        on_clear="resend",
        stop_on_kill=True,
    )
    PhoneApprovalOperator(
        task_id="approve",
        from_number="+15550100001",
        to_numbers=["+15550100002", placed.output],
        approve_values=["go", True],
        on_no_decision="reject",
        deferrable=True,
    )
    PhoneApprovalOperator(
        task_id="bad_policy_for_no_decision",
        from_number="+15550100001",
        to_numbers="{{ var.value.retell_approvers }}",
        on_no_decision="approve",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    batch = CreateBatchCallOperator(
        task_id="batch",
        from_number="+15550100001",
        tasks=[{"to_number": "+15550100002"}],
        trigger_timestamp=datetime(2026, 1, 1, tzinfo=timezone.utc),
    )
    draft = DraftAgentVersionOperator(
        task_id="draft",
        agent_id="agent_1",
        agent={"voice_speed": 1.1, "volume": None},
        llm={"general_prompt": TextFile("s3://bucket/prompt.md", conn_id="aws")},
        on_foreign_draft="discard",
    )
    DraftAgentVersionOperator(
        task_id="draft_flow", agent_id="agent_1", conversation_flow=TextFile("flow.json"), channel="chat"
    )
    DraftAgentVersionOperator(
        task_id="bad_policy",
        agent_id="agent_1",
        llm={},
        on_foreign_draft="keep",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    PublishAgentVersionOperator(
        task_id="publish",
        agent_id="agent_1",
        version=pick(draft.output, "version"),
        version_title="{{ params.revision }}",
        rebind_numbers=True,
    )
    PublishAgentVersionOperator(task_id="no_version", agent_id="agent_1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    SnapshotAgentsOperator(
        task_id="snapshot", path="s3://bucket/agents", compare_with="s3://bucket/agents", fail_on_drift=True
    )
    UpdateLiveCallOperator(task_id="live_wipe", call_id="call_1", clear_metadata=True)
    UpdateLiveCallOperator(task_id="live", call_id="call_1", override_dynamic_variables={"offer": "10 %"})
    StopCallOperator(task_id="stop", call_id=pick(placed.output, "call_id"))
    RerunCallAnalysisOperator(task_id="analyze", call_id="call_1")
    DeleteCallOperator(task_id="erase", call_id="call_1", missing_ok=False)
    DeleteCallOperator(
        task_id="erase_too", call_id="call_1", missing_ok="{{ params.missing_ok }}", dry_run=True
    )

    cases = SyncTestCasesOperator(
        task_id="test_cases",
        agent_id="agent_1",
        test_cases=[{"name": "Books", "user_prompt": "Book.", "metrics": ["Books."]}, "s3://bucket/*.yaml"],
        delete_missing=True,
        max_deleted_ratio=0.2,
    )
    RunBatchTestOperator(
        task_id="simulate",
        agent_id="agent_1",
        agent_version="latest_published",
        test_case_definition_ids=pick(cases.output, "test_case_definition_ids"),
        min_pass_ratio=0.8,
        retry_failed=2,
        allow_unmocked_tools=["book"],
        wait_timeout=timedelta(minutes=40),
        on_clear="resend",
    )
    RunBatchTestOperator(
        task_id="bad_tools",
        agent_id="agent_1",
        allow_unmocked_tools=3,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    SyncKnowledgeBaseOperator(
        task_id="refresh",
        knowledge_base_id="knowledge_base_1",
        documents=FileDocuments("s3://bucket/handbook", pattern="**/*.md", conn_id="aws"),
        report_path="s3://bucket/reports/{{ ds }}.jsonl",
        adopt=True,
        min_documents=10,
        max_deleted_ratio=0.2,
        deferrable=True,
        poll_interval=timedelta(seconds=10),
    )
    SyncKnowledgeBaseOperator(
        task_id="refresh_from_sql",
        knowledge_base_name="Handbook",
        documents=SqlDocuments("warehouse", "select * from faq", title_column="question"),
        dry_run="{{ params.dry_run }}",
        min_chunk_size=300,
    )
    SyncKnowledgeBaseOperator(
        task_id="refresh_from_a_list", knowledge_base_id="kb", documents=[{"title": "a", "text": "b"}]
    )
    SyncKnowledgeBaseOperator(
        task_id="refresh_from_a_function",
        knowledge_base_id="kb",
        documents=lambda: [{"title": "a", "text": "b"}],
    )
    SyncKnowledgeBaseOperator(task_id="refresh_from_a_task", knowledge_base_id="kb", documents=score())
    SyncKnowledgeBaseOperator(
        task_id="bad_documents",
        knowledge_base_id="kb",
        documents=3,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )

    CallSensor(
        task_id="ended",
        call_id="call_1",
        until="analyzed",
        deferrable=True,
        poke_interval=30,
        max_poll_failures=3,
        analysis_fields=["score"],
    )
    CallSensor(task_id="transferred", call_id="call_1", until="transfer_ended")
    BatchCallSensor(
        task_id="all_ended", batch_call_id="batch_1", total_task_count=12, timeout=3600, until="analyzed"
    )
    BatchCallSensor(
        task_id="bad_batch_until",
        batch_call_id="batch_1",
        total_task_count=12,
        until="transfer_ended",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    BatchCallSensor(
        task_id="all_ended_too",
        batch_call_id=pick(batch.output, "batch_call_id"),
        total_task_count=pick(batch.output, "total_task_count"),
    )
    ChatSensor(task_id="chat_ended", chat_id="chat_1", until="analyzed", analysis_fields=["score"])
    ConcurrencySensor(task_id="room", calls="{{ params.calls }}")
    KnowledgeBaseSensor(task_id="indexed", knowledge_base_id="knowledge_base_1", poke_interval=10)
    CallSensor(
        task_id="bad_until",
        call_id="call_1",
        until="answered",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )


assert_type(RetellCallLink().get_link(None, ti_key=None), str)
assert_type(RetellReportLink().get_link(None, ti_key=None), str)
assert_type(RetellAgentLink().get_link(None, ti_key=None), str)


# -- operators and triggers of one's own


class TieredUpdate(UpdateCallOperator):
    def work(self, context: Any) -> dict[str, Any]:
        done = super().work(context)
        assert_type(done, dict[str, Any])
        return done


def triggers() -> None:
    for trigger in (
        CallTrigger(call_id="call_1", until="ended", retell_conn_id="retell", poll_interval=30, deadline=0),
        ChatTrigger(
            chat_id="chat_1", until="analyzed", retell_conn_id="retell", poll_interval=30, deadline=0
        ),
        BatchCallTrigger(
            batch_call_id="batch_1", total_task_count=3, retell_conn_id="retell", poll_interval=30, deadline=0
        ),
        ConcurrencyTrigger(calls=2, retell_conn_id="retell", poll_interval=30, deadline=0),
        BatchTestTrigger(batch_test_id="test_batch_1", retell_conn_id="retell", poll_interval=10, deadline=0),
        KnowledgeBaseTrigger(
            knowledge_base_id="kb", retell_conn_id="retell", poll_interval=timedelta(seconds=5), deadline=0
        ),
        CallEventTrigger(agent_ids=["agent_1"], direction="inbound", poll_interval=10),
        ChatEventTrigger(agent_ids=["agent_1"], chat_type="sms_chat", lookback=timedelta(hours=2)),
    ):
        assert_type(trigger.serialize(), tuple[str, dict[str, Any]])


# -- the hooks


def in_a_task() -> list[str]:
    with RetellHook("retell_eu", retry=RetryLimits(attempts=3, seconds=20.0)) as hook:
        assert_type(hook, RetellHook)
        call = hook.get_call("call_1")
        assert_type(call, Call)
        assert_type(call.metadata, dict[str, Any] | None)
        assert_type(call.call_analysis, CallAnalysis | None)
        assert_type(call.call_cost, CallCost | None)
        assert_type(call.has_ended, bool)
        assert_type(call.slim(), dict[str, Any])
        assert_type(call.slim(["score"]), dict[str, Any])
        summary: CallSummary = call
        chat = hook.get_chat("chat_1")
        assert_type(chat.chat_analysis, ChatAnalysis | None)
        assert_type(chat.chat_cost, ChatCost | None)
        chat_summary: ChatSummary = chat
        assert_type(chat_summary.slim(), dict[str, Any])
        assert_type(list(hook.list_chats()), list[Chat])
        assert_type(hook.list_chats_page(limit=5), ChatPage)
        assert_type(hook.find_contact("+14155550123"), Contact | None)
        assert_type(hook.get_contact("contact_1").contact_tags, list[ContactTag] | None)
        assert_type(hook.update_contact("contact_1", do_not_call=True), Contact)
        assert_type(list(hook.list_contacts()), list[Contact])
        assert_type(hook.list_contacts_page(limit=5), ContactPage)
        assert_type(hook.upload_contact_import_file(b"phone_number"), ContactImportFile)
        assert_type(hook.get_contact_import(), ContactImport)
        assert_type(hook.delete_contact("contact_1"), None)
        assert_type(hook.update_chat_checked("chat_1", metadata={}).record, Chat)
        assert_type(summary.is_analyzed, bool)
        with no_waiting() as clock:
            assert_type(clock.skipped, float)
        assert_type(hook.update_call("call_1", metadata={"tier": "gold"}), Call)
        assert_type(hook.update_live_call("call_1", additional_context="Be brief"), LiveUpdate)
        assert_type(hook.list_calls(sort_order="ascending"), Iterator[Call])
        assert_type(hook.list_calls_page(limit=10), CallPage)
        assert_type(hook.list_calls_page(limit=10).items, list[Call])
        assert_type(hook.create_phone_call("+15550100001", "+15550100002", idempotency_key="k"), Call)
        assert_type(hook.create_batch_call("+15550100001", [{"to_number": "+15550100002"}]), BatchCall)
        assert_type(hook.rerun_call_analysis("call_1"), Call)
        engine = {"type": "retell-llm", "llm_id": "llm_1"}
        assert_type(hook.list_test_case_definitions(engine), list[TestCaseDefinition])
        assert_type(hook.create_batch_test(["test_case_1"], engine), BatchTest)
        assert_type(hook.get_batch_test("test_batch_1").is_complete, bool)
        assert_type(hook.list_test_runs("test_batch_1"), list[TestRun])
        assert_type(hook.list_test_case_definitions_page(engine, limit=5), TestCaseDefinitionPage)
        assert_type(hook.list_batch_tests_page(engine).items, list[BatchTest])
        batches: BatchTestPage = hook.list_batch_tests_page(engine)
        runs: TestRunPage = hook.list_test_runs_page("test_batch_1", pagination_key=batches.pagination_key)
        assert_type(runs.items[0].name, str)
        hook.create_batch_test("test_case_1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        assert_type(hook.get_concurrency(), Concurrency)
        assert_type(hook.get_concurrency().available, int)
        assert_type(hook.get_api_key_info(), ApiKeyInfo)
        assert_type(hook.test_connection(), tuple[bool, str])
        knowledge_base = hook.create_knowledge_base(
            "Handbook",
            knowledge_base_texts=[{"title": "a", "text": "b"}],
            knowledge_base_files=[KnowledgeBaseFile("a.pdf", Content.of(b"%PDF"))],
            knowledge_base_urls=["https://example.com"],
        )
        assert_type(knowledge_base, KnowledgeBase)
        assert_type(knowledge_base.in_progress, bool)
        assert_type(knowledge_base.sources, list[KnowledgeBaseSource])
        assert_type(hook.get_knowledge_base("kb"), KnowledgeBase)
        assert_type(hook.list_knowledge_bases(), list[KnowledgeBase])
        assert_type(
            hook.add_knowledge_base_sources("kb", knowledge_base_urls=["https://example.com"]), KnowledgeBase
        )
        assert_type(hook.delete_knowledge_base_source("kb", "source").sources[0].name, str)
        hook.delete_knowledge_base("kb")
        hook.stop_call("call_1")
        hook.delete_call("call_1")
        hook.get_call()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        hook.get_call(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        hook.update_call("call_1", tier="gold")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        hook.get_cal("call_1")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        return [found.call_id for found in hook.list_calls()]


def release(hook: RetellHook) -> None:
    draft = hook.draft_agent_version("agent_1", llm={"general_prompt": "Hi"}, on_foreign_draft="overwrite")
    assert_type(draft.version, int)
    assert_type(draft.changed, tuple[str, ...])
    published = hook.publish_agent_version_checked("agent_1", version=draft.version, rebind_numbers=True)
    assert_type(published.rebound, tuple[PhoneNumber, ...])
    agent = hook.get_agent("agent_1", version="latest_published")
    assert_type(agent, Agent)
    assert_type(agent.response_engine, ResponseEngine)
    assert_type(hook.get_chat_agent("agent_2"), Agent)
    assert_type(hook.update_agent("agent_1", {"voice_speed": 1.1}, version=3), Agent)
    assert_type(hook.list_agents(), list[AgentSummary])
    assert_type(hook.list_agents()[0].tags, dict[str, AgentTag] | None)
    assert_type(hook.list_agents_page(limit=5), AgentPage)
    assert_type(hook.list_agent_versions("agent_1"), list[AgentVersion])
    assert_type(hook.list_agent_versions_page("agent_1"), AgentVersionPage)
    assert_type(hook.create_agent_version("agent_1", base_version=3), Agent)
    hook.publish_agent_version("agent_1", version=4)
    hook.delete_agent_version("agent_1", version=5)
    assert_type(hook.get_retell_llm("llm_1", version=3), RetellLlm)
    assert_type(hook.list_retell_llms_page(), RetellLlmPage)
    assert_type(hook.update_conversation_flow("conversation_flow_1", {"nodes": []}), ConversationFlow)
    assert_type(hook.list_conversation_flows_page(), ConversationFlowPage)
    assert_type(hook.get_conversation_flow_component("component_1"), ConversationFlowComponent)
    number = hook.get_phone_number("+15550100001")
    assert_type(number.label, str)
    assert_type(number.inbound_agents, list[BoundAgent] | None)
    assert_type(hook.list_phone_numbers_page(), PhoneNumberPage)
    hook.publish_agent_version("agent_1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def in_a_trigger() -> None:
    async with RetellAsyncHook("retell_eu", connections=8, quota=Rate(50, 10)) as hook:
        assert_type(hook, RetellAsyncHook)
        assert_type(await hook.get_call("call_1"), Call)
        assert_type(await hook.update_call("call_1", metadata={"tier": "gold"}), Call)
        assert_type(await hook.get_test_run("test_run_1"), TestRun)
        assert_type(await hook.get_concurrency(), Concurrency)
        assert_type(await hook.list_phone_numbers(), list[PhoneNumber])
        assert_type(hook.list_calls(), AsyncIterator[Call])
        async for call in hook.list_calls(filter_criteria={"agent": [{"agent_id": "agent_1"}]}):
            assert_type(call, Call)
        hook.get_call("call_1").slim()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert_type(Rate.parse("100/10").seconds, float)


# -- errors


def what_went_wrong(hook: RetellHook) -> str:
    try:
        hook.get_call("call_1")
    except RetellTimeoutError as error:
        return error.kind
    except UpdateMismatchError as error:
        return ", ".join(error.fields)
    except SimulationFailedError as error:
        return ", ".join(error.failed)
    except DocumentsFailedError as error:
        return ", ".join(error.titles)
    except RetellInputError as error:
        return error.fault
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except RetellStatusError as error:
        return f"{error.status} {error.detail}"
    except HookError as error:
        assert_type(error.permanent, bool)
    return ""


every_status: tuple[type[RetellStatusError], ...] = (
    *(AuthenticationError, BadRequestError, NotFoundError, PaymentRequiredError, PermissionDeniedError),
    *(RateLimitError, ServerError, UnprocessableError),
)
every_other: tuple[type[RetellError], ...] = (
    *(CallNotEndedError, DoNotCallError, RetellConfigError, RetellConnectionError, RetellResponseError),
    *(StorageConflictError, WaitFailedError, WaitTimeoutError, AgentVersionError, DriftError),
)


# -- tests of DAGs

fixtures = (retell_connection, retell_emulator)
pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]


def test_my_dag(retell_emulator: Emulator, retell_connection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_type(retell_emulator.organization, Organization)
    retell_emulator.add_call(call_id="call_1", call_status="ended", metadata={"plan": "pro"})
    assert_type(retell_emulator.faults, Faults)
    rule = retell_emulator.faults.add(Fault.status(429, headers={"Retry-After": "2"}), route="update-call")
    assert_type(rule, Rule)
    assert_type(retell_emulator.requests, list[RecordedRequest])
    assert_type(retell_emulator.webhooks, list[WebhookDelivery])
    assert_type(retell_emulator.count("update-call", status=200), int)
    assert_type(retell_emulator.url, str)
    ti = FakeTaskInstance("enrich", xcoms={"facts": {"plan": "pro"}})
    operator = UpdateCallOperator(task_id="enrich", call_id="{{ params.call_id }}", metadata={"plan": "pro"})
    run_task(
        operator, ti=ti, params={"call_id": "call_1"}, logical_date=datetime(2026, 1, 1, tzinfo=timezone.utc)
    )
    mapped = UpdateCallOperator.partial(task_id="map", metadata={"plan": "pro"}).expand(call_id=["call_1"])
    run_task(mapped, mapped={"call_id": "call_1"})
    assert_type(ti.xcom, dict[str, Any])
    assert_type(fake_context(operator, ti, logical_date=None), dict[str, Any])


def by_hand() -> None:
    clock = Clock(frozen=True)
    with Emulator(
        api_key="key_test",
        clock=clock,
        lifecycle=Lifecycle(),
        simulation=Simulation(queue=2, talk=60),
        quotas={**DEFAULT_QUOTAS, "update-call": (5, 1.0)},
        metadata_semantics="merge",
        contacts=ContactOptions(tags={"tag_vip": "VIP"}),
        knowledge_bases=KnowledgeBaseOptions(indexing_seconds=5),
    ) as emulator:
        assert_type(emulator, Emulator)
        options: Options = emulator.options
        assert_type(options.api_key, str)
        clock.advance(60)
    Emulator(port="8787")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@retell_bulk_update(metadata_columns=["tier"])
def enrich(day: str) -> Iterator[dict[str, Any]]:
    yield {"call_id": "call_1", "tier": "gold", "day": day}


@retell_bulk_update
def enrich_all() -> list[dict[str, Any]]:
    return [{"call_id": "call_1"}]


enrich(day="{{ ds }}")
enrich()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@retell_bulk_update  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def not_rows() -> int:
    return 1


every_other_name: tuple[object, ...] = (ConversationFlowComponent,)
