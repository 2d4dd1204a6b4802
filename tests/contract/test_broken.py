"""Every check notices a server that breaks its assumption."""

from __future__ import annotations

from typing import Any

import pytest
from broken_server import (
    Break,
    as_text,
    change_items,
    change_json,
    change_status,
    fault,
    no_effect,
    option,
    remember_first,
    without_field,
    without_filter,
)
from contract_account import account, check_account, target

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.contract.resources import CHECKS
from airflow_provider_retell.emulator import Fault


def change_chats(edit: Any) -> Break:
    return change_items(edit, "list-chats")


def list_a_call_of_any_batch(items: list[Any], asked: Any) -> None:
    if "batch_call_id" in asked.get("filter_criteria", {}) and not items:
        items.append({"call_id": "call_other", "call_status": "ended"})


BREAKS: dict[str, Break] = {
    "account.wrong_key": fault(Fault.status(403)),
    "account.missing_key": fault(Fault.status(401, body={"reason": "no key"})),
    "account.identity": fault(Fault.status(404), "get-api-key-info"),
    "account.rejected_body": fault(Fault.status(400, body="<html>")),
    "account.unknown_path": fault(Fault.status(404)),
    "account.restricted_key": option(restricted_key_status=405),
    "account.restricted_key_identity": fault(Fault.status(403), "get-api-key-info"),
    "account.restricted_key_reads": fault(Fault.status(403), "get-call"),
    "calls.unknown_id": option(unknown_id_status=410),
    "calls.fields_have_documented_types": change_json(
        "get-call", lambda call, _: call.update(duration_ms="long")
    ),
    "calls.fields_are_declared": change_json("get-call", lambda call, _: call.update(tool_calls=[])),
    "calls.statuses_are_known": change_items(lambda items, _: items[0].update(call_status="paused")),
    "calls.timestamps_are_milliseconds": change_items(
        lambda items, _: [item.update(end_timestamp=item["end_timestamp"] // 1000) for item in items[-1:]]
    ),
    "calls.ended_calls_have_an_end": change_items(lambda items, _: items[-1].pop("end_timestamp")),
    "calls.unconnected_calls_have_no_start": change_items(
        lambda items, _: [item.update(start_timestamp=10**12) for item in items]
    ),
    "calls.list_has_documented_form": change_json("list-calls", lambda body, _: body.pop("items") and None),
    "calls.list_leaves_out_transcripts": change_items(lambda items, _: items[0].update(transcript="Hello")),
    "calls.list_sorts_by_start": change_items(lambda items, _: items.sort(key=lambda call: call["call_id"])),
    "calls.list_pages": change_json("list-calls", lambda body, _: body.update(has_more=False)),
    "calls.list_by_ids": change_items(lambda items, asked: len(items) > 1 and items.pop()),
    "calls.ids_per_filter": option(max_ids_per_filter=10),
    "calls.list_by_end": without_filter("end_timestamp"),
    "calls.list_by_status": change_json("list-calls", lambda body, _: body.update(total=99)),
    "calls.list_by_metadata": without_filter("metadata"),
    "calls.recording_links_are_listed": change_items(
        lambda items, _: [item.pop("public_log_url", None) for item in items]
    ),
    "calls.recording_links_do_not_expire": option(links_expire=True),
    "calls.recordings_have_ranges": change_status("get-call-file", 404),
    "calls.transfers_have_an_end": change_items(
        lambda items, _: [item.pop("transfer_end_timestamp", None) for item in items]
    ),
    "calls.transferred_calls_have_ended": change_items(
        lambda items, _: [item.update(transfer_end_timestamp=item["end_timestamp"] - 1) for item in items]
    ),
    "calls.update_returns_call": change_json("update-call", lambda call, _: call.pop("metadata") and None),
    "calls.metadata_replaced": option(metadata_semantics="merge"),
    "calls.empty_metadata_clears": option(empty_metadata_clears=False),
    "calls.null_is_kept": option(drops_null=True),
    "calls.values_are_kept": change_json("get-call", lambda call, _: as_text(call)),
    "calls.update_is_read_at_once": remember_first("get-call"),
    "calls.update_is_listed_at_once": option(list_lag=60.0),
    "calls.metadata_limit": option(metadata_max_bytes=40_000),
    "calls.metadata_above_limit": option(metadata_max_bytes=10**6),
    "calls.update_unknown_id": option(unknown_id_status=410),
    "calls.unknown_field_rejected": option(ignores_unknown_fields=True),
    "calls.update_of_unconnected_call": option(ended_statuses=("ended",)),
    "calls.update_of_failed_call": option(ended_statuses=("ended",)),
    "calls.storage_cannot_loosen": change_status("update-call", 410, when=range(400, 500)),
    "calls.tightening_is_shown": change_json(
        "update-call", lambda call, _: call.pop("data_storage_setting") and None
    ),
    "calls.unknown_attribute_dropped": option(rejects_unknown_attributes=True),
    "calls.attributes_not_shown": option(echo_custom_attributes=True),
    "calls.attributes_are_listed": option(list_lag=60.0),
    "calls.attributes_merged": option(custom_attributes_semantics="replace"),
    "calls.update_of_live_call": option(ended_statuses=("ended", "ongoing")),
    "calls.update_of_registered_call": option(ended_statuses=("ended", "registered")),
    "calls.live_update_returns_success": change_json(
        "update-live-call", lambda body, _: body.update(success="yes")
    ),
    "calls.live_update_of_ended_call": option(not_live_status=410),
    "calls.stop_of_ended_call": option(stop_ended_status=410),
    "calls.stop_unknown_id": option(unknown_id_status=410),
    "calls.rerun_returns_call": change_json(
        "rerun-call-analysis", lambda call, _: call.pop("call_id") and None
    ),
    "calls.rerun_is_complete": change_json(
        "rerun-call-analysis",
        lambda call, _: call["call_analysis"].update(
            call_summary=call["call_analysis"]["call_summary"].partition(" (")[0]
        ),
    ),
    "calls.delete_succeeds": change_status("delete-call", 200, when=range(200, 300)),
    "calls.deleted_call_is_gone": no_effect("delete-call", 204),
    "calls.deleted_call_is_not_listed": no_effect("delete-call", 204),
    "calls.delete_of_live_call": option(delete_live_status=410),
    "calls.second_deletion_is_rejected": change_status("delete-call", 410, when=range(400, 500)),
    "calls.place_returns_call": change_json(
        "create-phone-call", lambda call, _: call.pop("call_id") and None
    ),
    "calls.placed_call_is_listed": option(lists_registered=False),
    "calls.idempotency_key_is_honored": option(honors_idempotency_key=False),
    "calls.idempotency_key_alphabet": option(idempotency_key_pattern="[a-z0-9-]*"),
    "calls.stop_ends_call": no_effect("stop-call", 204),
    "calls.batch_returns_id": change_json(
        "create-batch-call", lambda body, _: body.pop("batch_call_id") and None
    ),
    "calls.batch_is_listed": change_items(list_a_call_of_any_batch),
    "chats.unknown_id": option(chats__unknown_id_status=410),
    "chats.fields_have_documented_types": change_json(
        "get-chat", lambda chat, _: chat.update(end_timestamp="late")
    ),
    "chats.statuses_are_known": change_chats(lambda items, _: items[0].update(chat_status="paused")),
    "chats.timestamps_are_milliseconds": change_chats(
        lambda items, _: [item.update(start_timestamp=item["start_timestamp"] // 1000) for item in items[-1:]]
    ),
    "chats.ended_chats_have_an_end": change_chats(lambda items, _: items[-1].pop("end_timestamp")),
    "chats.list_has_documented_form": change_json("list-chats", lambda body, _: body.pop("items") and None),
    "chats.list_leaves_out_transcripts": change_chats(lambda items, _: items[0].update(transcript="Hello")),
    "chats.list_pages": change_json("list-chats", lambda body, _: body.update(has_more=False)),
    "chats.list_by_ids": change_chats(
        lambda items, asked: items.pop() if asked.get("limit") == 1000 else None
    ),
    "chats.ids_per_filter": option(chats__max_ids_per_filter=10),
    "chats.list_by_end": without_filter("end_timestamp", "list-chats"),
    "chats.update_unknown_id": option(chats__unknown_id_status=410),
    "chats.delete_unknown_id": option(chats__unknown_id_status=410),
    "chats.update_returns_chat": change_json("update-chat", lambda chat, _: chat.pop("metadata") and None),
    "chats.metadata_replaced": option(chats__metadata_semantics="merge"),
    "chats.empty_metadata_clears": option(chats__empty_metadata_clears=False),
    "chats.null_is_kept": option(chats__drops_null=True),
    "chats.update_is_read_at_once": remember_first("get-chat"),
    "chats.update_is_listed_at_once": change_chats(lambda items, _: items[0].update(metadata={})),
    "chats.update_of_ongoing_chat": option(chats__updates_ongoing=False),
    "chats.unknown_attribute_dropped": option(chats__rejects_unknown_attributes=True),
    "chats.attributes_are_shown": change_json(
        "get-chat", lambda chat, _: chat.update(custom_attributes=None)
    ),
    "chats.attributes_merged": option(chats__custom_attributes_semantics="replace"),
    "contacts.list_has_documented_form": change_json(
        "list-contacts", lambda body, _: body.pop("total") and None
    ),
    "contacts.list_has_tags": change_json(
        "list-contacts", lambda body, _: [item.pop("contact_tags") for item in body["items"]] and None
    ),
    "contacts.largest_page": option(contacts__max_page=5),
    "contacts.unknown_id": option(contacts__missing_status=410),
    "contacts.create_returns_contact": change_json(
        "create-contact", lambda contact, _: contact.update(do_not_call=False)
    ),
    "contacts.existing_number": option(contacts__existing_status=410),
    "contacts.list_by_number": change_json(
        "list-contacts",
        lambda page, _: page["items"].extend([{**item, "contact_id": "other"} for item in page["items"]]),
    ),
    "contacts.do_not_call_is_rejected": without_field("create-phone-call", "honor_internal_dnc"),
    "contacts.update_returns_contact": change_json(
        "update-contact", lambda contact, _: contact.update(do_not_call=True)
    ),
    "contacts.tags_are_replaced": change_json(
        "update-contact",
        lambda contact, _: contact.update(contact_tags=[{"id": "tag_one"}, {"id": "tag_two"}]),
    ),
    "contacts.custom_fields_merged": option(contacts__custom_fields_semantics="replace"),
    "contacts.delete_unknown_id": option(contacts__missing_status=410),
    "contacts.delete_succeeds": change_status("delete-contact", 200, when=range(200, 300)),
    "contacts.deleted_contact_is_gone": no_effect("delete-contact", 204),
    "contacts.second_deletion_is_rejected": change_status("delete-contact", 410, when=range(400, 500)),
    "contacts.import_has_documented_form": change_json(
        "get-contact-import", lambda body, _: body.update(status="paused")
    ),
    "contacts.import_starts": change_json(
        "create-contact-import", lambda body, _: body.pop("start_timestamp", 0) and None
    ),
    "contacts.one_import_at_a_time": option(contacts__import_busy_status=410),
    "contacts.import_reads_marks": option(contacts__import_marks="digits"),
    "contacts.import_blanks": option(contacts__import_blanks="keep"),
    "knowledge_bases.list_is_an_array": change_json("list-knowledge-bases", lambda body, _: {"items": body}),
    "knowledge_bases.unknown_id": option(knowledge_bases__missing_status=410),
    "knowledge_bases.create_accepts_form": change_status("create-knowledge-base", 400),
    "knowledge_bases.indexing_completes": option(knowledge_bases__failures={"contract": "broken"}),
    "knowledge_bases.added_sources_are_listed": option(knowledge_bases__listing_delay=60.0),
    "knowledge_bases.names_are_kept": option(knowledge_bases__sanitizes_file_names=True),
    "knowledge_bases.deletion_does_not_refresh": option(knowledge_bases__refreshes_on_delete=True),
    "knowledge_bases.last_source_is_kept": option(knowledge_bases__keeps_last_source=False),
    "knowledge_bases.deletion_is_complete": no_effect("delete-knowledge-base", 204),
    "agents.list_has_documented_form": change_json("list-agents", lambda body, _: body.pop("items") and None),
    "agents.unknown_id": option(missing_asset_status=410),
    "agents.version_has_documented_form": change_json(
        "get-agent", lambda agent, _: agent.pop("is_published") and None
    ),
    "agents.engine_has_version_of_agent": change_json(
        "get-agent", lambda agent, _: agent["response_engine"].update(version=99)
    ),
    "agents.versions_are_listed": change_json("list-agent-versions", lambda body, _: body.update(items=[])),
    "agents.latest_published_exists": change_json(
        "get-agent", lambda agent, _: agent.update(is_published=False)
    ),
    "agents.fork_is_a_draft": change_json(
        "create-agent-version", lambda agent, _: agent.update(is_published=True)
    ),
    "agents.fork_has_its_own_engine": change_json(
        "create-agent-version", lambda agent, _: agent["response_engine"].update(version=0)
    ),
    "agents.update_keeps_other_fields": change_json(
        "update-agent", lambda agent, _: agent.pop("voice_id") and None
    ),
    "agents.engine_update_keeps_other_fields": change_json(
        "update-retell-llm", lambda llm, _: llm.pop("general_prompt") and None
    ),
    "agents.published_version_is_immutable": change_status("update-agent", 200),
    "agents.draft_can_be_deleted": no_effect("delete-agent-version", 204),
    "phone_numbers.list_has_documented_form": change_json(
        "list-phone-numbers", lambda body, _: {"numbers": body["items"]}
    ),
    "simulations.unknown_id": option(missing_asset_status=410),
    "simulations.test_cases_are_listed": change_json(
        "list-test-case-definitions", lambda body, _: body["items"][0].update(metrics="one")
    ),
    "simulations.complete_runs_have_verdicts": change_json(
        "list-test-runs", lambda body, _: body["items"][0].update(status="pending")
    ),
    "simulations.update_keeps_other_fields": option(test_case_update_semantics="replace"),
    "simulations.batch_test_is_listed": option(batch_test_list_delay=60.0),
    "simulations.verdicts_are_listed": option(test_run_list_delay=60.0),
    "organization.concurrency": change_json(
        "get-concurrency", lambda body, _: body.update(concurrency_limit="unlimited")
    ),
    "organization.quota_headers": lambda emulator: emulator.organization.rate_limits._limits.clear(),
    "organization.general_quota": lambda emulator: emulator.organization.rate_limits._limits.update(
        general=(50, 10)
    ),
    "organization.list_quota": lambda emulator: emulator.organization.rate_limits._limits.update(
        list=(10, 10)
    ),
    "organization.throttle_headers": option(throttle_headers="none"),
    "organization.separate_quotas": fault(Fault.status(429), "get-concurrency"),
}


# With these, the deletion or the end of created objects fails, and the command reports it.
LEAVES_SOMETHING = {
    "calls.stop_ends_call",
    "contacts.deleted_contact_is_gone",
    "knowledge_bases.deletion_is_complete",
    "agents.draft_can_be_deleted",
}


def test_every_check_is_broken_here() -> None:
    assert BREAKS.keys() == {check.name for check in CHECKS}


@pytest.mark.parametrize("name", BREAKS)
def test_a_server_that_breaks_an_assumption_is_noticed(name: str) -> None:
    with account() as emulator, no_waiting(emulator.clock.advance):
        before = check_account(emulator, only=(name,))[name].finding
        emulator.reset()
    assert before.verdict == "holds", before
    with account() as emulator, no_waiting(emulator.clock.advance):
        BREAKS[name](emulator)
        at = target()
        finding = check_account(emulator, only=(name,), at=at)[name].finding
    assert finding.verdict == "differs", finding
    assert at.changes == {}
    assert (at.failures != []) is (name in LEAVES_SOMETHING)
