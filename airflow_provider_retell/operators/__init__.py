"""The operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell._lazy import lazy_exports

if TYPE_CHECKING:
    from airflow_provider_retell.operators.agent import DraftAgentVersionOperator, PublishAgentVersionOperator
    from airflow_provider_retell.operators.agent_snapshot import SnapshotAgentsOperator
    from airflow_provider_retell.operators.approval import PhoneApprovalOperator
    from airflow_provider_retell.operators.batch_call import CreateBatchCallOperator
    from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
    from airflow_provider_retell.operators.bulk_chat import BulkUpdateChatOperator
    from airflow_provider_retell.operators.call import (
        DeleteCallOperator,
        GetCallOperator,
        RerunCallAnalysisOperator,
        UpdateCallOperator,
    )
    from airflow_provider_retell.operators.chat import (
        DeleteChatOperator,
        GetChatOperator,
        RerunChatAnalysisOperator,
        UpdateChatOperator,
    )
    from airflow_provider_retell.operators.delete_contacts import DeleteContactsOperator
    from airflow_provider_retell.operators.import_contacts import ImportContactsOperator
    from airflow_provider_retell.operators.knowledge_base import SyncKnowledgeBaseOperator
    from airflow_provider_retell.operators.list_calls import ListCallsOperator
    from airflow_provider_retell.operators.list_chats import ListChatsOperator
    from airflow_provider_retell.operators.live_call import StopCallOperator, UpdateLiveCallOperator
    from airflow_provider_retell.operators.phone_call import CreatePhoneCallOperator
    from airflow_provider_retell.operators.recordings import ArchiveRecordingsOperator
    from airflow_provider_retell.operators.simulation import RunBatchTestOperator
    from airflow_provider_retell.operators.sync_contacts import SyncContactsOperator
    from airflow_provider_retell.operators.sync_test_cases import SyncTestCasesOperator
    from airflow_provider_retell.params.text_file import TextFile
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "operators.agent": ["DraftAgentVersionOperator", "PublishAgentVersionOperator"],
            "operators.agent_snapshot": ["SnapshotAgentsOperator"],
            "operators.approval": ["PhoneApprovalOperator"],
            "operators.batch_call": ["CreateBatchCallOperator"],
            "operators.bulk": ["BulkUpdateCallOperator"],
            "operators.bulk_chat": ["BulkUpdateChatOperator"],
            "operators.call": [
                "DeleteCallOperator",
                "GetCallOperator",
                "RerunCallAnalysisOperator",
                "UpdateCallOperator",
            ],
            "operators.chat": [
                "DeleteChatOperator",
                "GetChatOperator",
                "RerunChatAnalysisOperator",
                "UpdateChatOperator",
            ],
            "operators.delete_contacts": ["DeleteContactsOperator"],
            "operators.import_contacts": ["ImportContactsOperator"],
            "operators.knowledge_base": ["SyncKnowledgeBaseOperator"],
            "operators.list_calls": ["ListCallsOperator"],
            "operators.list_chats": ["ListChatsOperator"],
            "operators.live_call": ["StopCallOperator", "UpdateLiveCallOperator"],
            "operators.phone_call": ["CreatePhoneCallOperator"],
            "operators.recordings": ["ArchiveRecordingsOperator"],
            "operators.simulation": ["RunBatchTestOperator"],
            "operators.sync_contacts": ["SyncContactsOperator"],
            "operators.sync_test_cases": ["SyncTestCasesOperator"],
            "params.text_file": ["TextFile"],
        },
    )

__all__ = [
    "ArchiveRecordingsOperator",
    "BulkUpdateCallOperator",
    "BulkUpdateChatOperator",
    "CreateBatchCallOperator",
    "CreatePhoneCallOperator",
    "DeleteCallOperator",
    "DeleteChatOperator",
    "DeleteContactsOperator",
    "DraftAgentVersionOperator",
    "GetCallOperator",
    "GetChatOperator",
    "ImportContactsOperator",
    "ListCallsOperator",
    "ListChatsOperator",
    "PhoneApprovalOperator",
    "PublishAgentVersionOperator",
    "RerunCallAnalysisOperator",
    "RerunChatAnalysisOperator",
    "RunBatchTestOperator",
    "SnapshotAgentsOperator",
    "StopCallOperator",
    "SyncContactsOperator",
    "SyncKnowledgeBaseOperator",
    "SyncTestCasesOperator",
    "TextFile",
    "UpdateCallOperator",
    "UpdateChatOperator",
    "UpdateLiveCallOperator",
]
