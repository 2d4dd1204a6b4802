"""The operator for knowledge bases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import RetellError, RetellInputError
from airflow_provider_retell.api.knowledge_bases.limits import MAX_FILES, MAX_NAME_LENGTH, MAX_TEXTS
from airflow_provider_retell.clock import clock
from airflow_provider_retell.common.paths import safe_path
from airflow_provider_retell.documents.documents import Documents, as_documents, as_template
from airflow_provider_retell.operators.base import DeferrableOperator
from airflow_provider_retell.operators.reporting import ReportingOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_bool, as_id, as_list, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.knowledge_bases.guards import SyncSettings
    from airflow_provider_retell.api.knowledge_bases.sync import Sync
    from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress
    from airflow_provider_retell.api.waits import Condition, Poll
    from airflow_provider_retell.triggers.base import PollTrigger

log = logging.getLogger(__name__)


class SyncKnowledgeBaseOperator(DeferrableOperator, ReportingOperator):
    """Bring a knowledge base to the state of a set of documents, and send only the differences.

    ::

        from airflow_provider_retell.documents import FileDocuments
        from airflow_provider_retell.operators import SyncKnowledgeBaseOperator

        SyncKnowledgeBaseOperator(
            task_id="refresh",
            knowledge_base_id="{{ var.value.retell_knowledge_base }}",
            documents=FileDocuments("s3://bucket/handbook", pattern="**/*.md"),
            report_path="s3://bucket/reports/{{ ds }}.jsonl",
        )

    The task adds documents that are new or changed, waits until Retell has indexed them, and then deletes outdated
    sources, so that no document is missing in between. A second run with the same documents only reads. A task that was
    killed continues when it runs again.

    Retell cannot update a source. The operator recognizes its own sources by a mark in the title or file name, with a
    digest of the content. It never touches other sources, unless ``adopt`` is set. A knowledge base is not versioned:
    agents use the new documents at once.

    If Retell cannot index a document, its old version stays, and the task fails with the document's title after it has
    processed all others. At the limit of sources, an old version is deleted first; if the new one then fails, the
    message names it as missing. A deferred task reads the documents again when it continues, and fails if one that it
    has sent differs.

    The task returns the number of documents that were ``added``, ``replaced``, ``unchanged`` and ``failed``, which add
    up to ``documents``; ``deleted``, the number of sources whose document is gone; and ``knowledge_base_id``,
    ``status``, ``requests`` (without those of the triggerer), ``seconds``, ``dry_run``, ``report`` and
    ``schema_version``. If documents failed, the task pushes the same result before it fails.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/knowledge_bases.html
    - API: https://docs.retellai.com/api-references/add-knowledge-base-sources

    :param documents: :class:`~airflow_provider_retell.documents.FileDocuments`,
        :class:`~airflow_provider_retell.documents.SqlDocuments`, a list of dicts with ``title`` and ``text`` (and of
        other sources), a template that renders to one, or a function that returns or yields dicts (templated). Titles
        must be unique. Only titles are logged.
    :param knowledge_base_id: the knowledge base (templated).
    :param knowledge_base_name: the name of a knowledge base in place of its id (templated). The task creates the
        knowledge base if it does not exist. At most 39 characters. If two have the name, the task fails.
    :param adopt: True to replace also sources that the operator has not added, if their title or file name is the title
        of a document. Default: False.
    :param min_documents: the smallest number of documents that is not an error. Default: 1, so that an empty source
        deletes nothing.
    :param max_deleted_ratio: the largest share of the operator's sources that may be deleted because their document is
        gone, 0 to 1. Beyond it, the task fails and sends nothing. Default: 0.5.
    :param dry_run: True to change nothing (templated). The log and the result, under ``plan``, then have the titles to
        add, replace and delete.
    :param report_path: a file for one line of JSON per document (``title``, ``outcome``, ``reason``) and per deleted
        source, on any storage of Airflow's ``ObjectStoragePath``: ``.jsonl`` or ``.ndjson``, optionally followed by
        ``.gz`` (templated).
    :param report_conn_id: the Airflow connection of its storage (templated). Default: the storage's default connection.
    :param min_chunk_size: the smallest chunk of a new knowledge base, in characters. If the knowledge base has another
        size, the task fails, because Retell cannot change it. Default: any; Retell's default is 400.
    :param max_chunk_size: the same for the largest chunk. Retell's default is 2000.
    :param max_texts: the number of texts that a knowledge base can have. Retell does not document it; the default of 50
        is what third parties report.
    :param max_files: the same for files. Default: 25.
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``.
    :param poll_interval: seconds between two polls, or a timedelta. Default: 5 seconds.
    :param wait_timeout: seconds after which the wait for Retell's indexing fails, or a timedelta: from the first wait
        on, for all rounds of adding and deleting together. Default: 30 minutes. A retry continues, with a new timeout.
    :param max_poll_failures: the number of consecutive failed polls that a wait tolerates. Default: 10.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises DocumentsFailedError: if Retell could not index documents. A retry tries them again.
    :raises AirflowFailException: if a retry cannot help: invalid documents, a guard or a limit (nothing was sent), an
        unknown knowledge base, documents that differ each time they are read, or an API key that Retell rejects.
    :raises WaitTimeoutError: if a wait reached ``wait_timeout``.
    """

    template_fields: Sequence[str] = (
        "documents",
        "knowledge_base_id",
        "knowledge_base_name",
        "dry_run",
        "report_path",
        "report_conn_id",
        "retell_conn_id",
    )
    # The file of a query in SqlDocuments.
    template_ext: Sequence[str] = (".sql",)
    masked_fields: Sequence[str] = ("documents",)

    def __init__(
        self,
        *,
        documents: Documents | str | Iterable[Any] | Callable[[], Iterable[Any]] | XComArg,
        knowledge_base_id: str | XComArg | None = None,
        knowledge_base_name: str | XComArg | None = None,
        adopt: bool = False,
        min_documents: int = 1,
        max_deleted_ratio: float = 0.5,
        dry_run: bool | str | XComArg = False,
        report_path: str | XComArg | None = None,
        report_conn_id: str | None = None,
        min_chunk_size: int | None = None,
        max_chunk_size: int | None = None,
        max_texts: int = MAX_TEXTS,
        max_files: int = MAX_FILES,
        poll_interval: float | timedelta = 5,
        wait_timeout: float | timedelta = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            report_path=report_path,
            report_conn_id=report_conn_id,
            poll_interval=poll_interval,
            wait_timeout=wait_timeout,
            **kwargs,
        )
        checks.exclusive(knowledge_base_id=knowledge_base_id, knowledge_base_name=knowledge_base_name)
        if knowledge_base_id is None and knowledge_base_name is None:
            raise ValueError("knowledge_base_id or knowledge_base_name must be set")
        checks.flag(adopt=adopt)
        checks.whole_number("min_documents", min_documents, 0)
        checks.between("max_deleted_ratio", max_deleted_ratio, 0, 1)
        checks.whole_number("max_texts", max_texts, 0)
        checks.whole_number("max_files", max_files, 0)
        for name, size in (("min_chunk_size", min_chunk_size), ("max_chunk_size", max_chunk_size)):
            if size is not None:
                checks.whole_number(name, size, 1)
        if checks.is_literal(knowledge_base_name) and len(knowledge_base_name) > MAX_NAME_LENGTH:
            raise ValueError(f"knowledge_base_name must have at most {MAX_NAME_LENGTH} characters")
        self.documents = as_template(documents)
        self.depend_on_xcoms_in(self.documents)
        self.knowledge_base_id = knowledge_base_id
        self.knowledge_base_name = knowledge_base_name
        self.adopt = adopt
        self.min_documents = min_documents
        self.max_deleted_ratio = max_deleted_ratio
        # Hides BaseOperator.dry_run(), which Airflow 3 does not call and Airflow 2 only in `airflow tasks test -n`.
        self.dry_run = dry_run  # type: ignore[method-assign,assignment]
        self.min_chunk_size = min_chunk_size
        self.max_chunk_size = max_chunk_size
        self.max_texts = max_texts
        self.max_files = max_files
        self._polls = 0

    def work(self, context: Context) -> dict[str, Any]:
        """Bring the knowledge base to the state of the documents."""
        self.check_report_path(context)
        progress = {"knowledge_base_id": self.rendered("knowledge_base_id", as_id)}
        return self._work(context, {"progress": progress, "started": clock().time(), "requests": 0})

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger that waits for the knowledge base."""
        from airflow_provider_retell.triggers.knowledge_base import KnowledgeBaseTrigger

        return KnowledgeBaseTrigger

    def after_event(self, context: Context, event: Mapping[str, Any], **state: Any) -> dict[str, Any]:
        """Continue after Retell has indexed the knowledge base.

        :param event: the result of the trigger's last poll.
        :param state: ``deadline``, and the state before the wait.
        """
        return self._work(context, state)

    def _work(self, context: Context, state: Mapping[str, Any]) -> dict[str, Any]:
        from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress

        progress = Progress(**state["progress"])
        try:
            sync = self._sync(context, progress, state)
        except RetellInputError as error:
            if not progress.changed:
                raise
            stopped = RetellError(
                f"{error.fault}. The task has changed the knowledge base before, and stops now"
            )
            stopped.permanent = True
            raise stopped from None
        return self._finish(context, sync, state)

    def _sync(self, context: Context, progress: Progress, state: Mapping[str, Any]) -> Sync:
        import tempfile

        from airflow_provider_retell.api.knowledge_bases.guards import check_documents
        from airflow_provider_retell.api.knowledge_bases.sync import Sync
        from airflow_provider_retell.documents.collect import collect

        settings, source = self._settings(), self._source()
        source.bind(context)
        with tempfile.TemporaryFile(prefix="retell-") as temporary:
            documents = collect(source, temporary)
            check_documents(documents, settings, str(source))
            sync = Sync(documents, settings, progress)
            advance = sync.preview if as_bool(self.dry_run, "dry_run") else sync.advance
            deadline = state.get("deadline")
            while (condition := self.hook.run(advance())) is not None:
                if deadline is None:
                    deadline = clock().time() + self.wait_timeout
                so_far = {"started": state["started"], "requests": self._requests(state)}
                self.wait_for(condition, deadline=deadline, state={"progress": progress.dump(), **so_far})
        return sync

    def _settings(self) -> SyncSettings:
        from airflow_provider_retell.api.knowledge_bases.guards import SyncSettings

        return SyncSettings(
            knowledge_base_name=self.rendered("knowledge_base_name", as_text),
            min_chunk_size=self.min_chunk_size,
            max_chunk_size=self.max_chunk_size,
            adopt=self.adopt,
            min_documents=self.min_documents,
            max_deleted_ratio=self.max_deleted_ratio,
            limits={"text": self.max_texts, "file": self.max_files},
        )

    def _source(self) -> Documents:
        """Return the source of the documents, after checking that it does not read the report."""
        value = unmask(self.documents)
        is_rendered = value is None or isinstance(value, str)
        source = as_documents(as_list(value, "documents") if is_rendered else value)
        path = self.rendered("report_path", as_text)
        if path is not None and source.reads(path):
            raise RetellInputError(
                f"report_path must not be one of the documents. Use another path than {safe_path(path)}, or another "
                "pattern"
            )
        return source

    def _poll(self, condition: Condition) -> Poll:
        self._polls += 1
        return super()._poll(condition)

    def _requests(self, state: Mapping[str, Any]) -> int:
        """Return the number of requests of all processes so far. Polls have hooks of their own."""
        return int(state["requests"]) + self.hook.quotas.usage.requests + self._polls

    def _finish(self, context: Context, sync: Sync, state: Mapping[str, Any]) -> dict[str, Any]:
        """Write the report, and return the result, or push it and fail if documents failed."""
        from airflow_provider_retell.api.knowledge_bases.result import SyncResult
        from airflow_provider_retell.export.jsonl_writer import write_json_lines

        plan = sync.plan
        outcome = SyncResult.of(sync)
        path = self.rendered("report_path", as_text)
        if path is not None:
            write_json_lines(path, outcome.lines(), self.report_conn_id)
        result = {
            "schema_version": 1,
            "knowledge_base_id": sync.progress.knowledge_base_id,
            "status": sync.status,
            **outcome.counts(),
            "requests": self._requests(state),
            "seconds": round(clock().time() - state["started"], 3),
            "dry_run": plan is not None,
            "report": path and safe_path(path),
        }
        if plan is not None:
            result["plan"] = outcome.plan()
            for action, titles in outcome.plan().items():
                for title in titles:
                    log.info("Would %s %r", action, title)
        kind = "Knowledge base" if plan is None else "Dry run for knowledge base"
        log.info("%s %s: %s", kind, result["knowledge_base_id"], outcome)
        if outcome.failed:
            context["ti"].xcom_push(key="return_value", value=result)
            raise outcome.error(
                f"The report is {safe_path(path)}" if path else "Run the task again to try them again"
            )
        return result
