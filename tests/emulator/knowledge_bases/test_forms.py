"""Forms that the SDK does not send, and the control API of knowledge bases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Reply, Send

NAME = ("knowledge_base_name", "x")
TEXT = json.dumps({"title": "a", "text": "b"})


def post(send: Send, emulator: Emulator, *fields: tuple[str, str], end: str = "--b--\r\n") -> Reply:
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return send(emulator, "POST", "/create-knowledge-base", (body + end).encode(), headers=headers)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([("knowledge_base_texts", TEXT)], "not an array"),
        ([("knowledge_base_texts", TEXT), ("knowledge_base_texts", TEXT)], "not an array"),
        ([("knowledge_base_texts", "[]"), ("knowledge_base_texts", "[]")], "not an array"),
        ([("knowledge_base_urls", "https://example.com")], "not an array"),
        ([("knowledge_base_texts[0][title]", "a")], "additional properties"),
        ([("min_chunk_size", "many")], "min_chunk_size must be integer"),
        ([('knowledge_base_files[]"; filename="a.pdf', "x")], "Unexpected field"),
    ],
)
def test_form_that_retell_does_not_accept_is_refused(
    emulator: Emulator, send: Send, fields: Any, message: str
) -> None:
    reply = post(send, emulator, NAME, *fields)
    assert (reply.status, reply.json["status"]) == (400, "error")
    assert message in reply.json["message"]
    assert emulator.knowledge_bases == {}


def test_form_without_its_end_is_refused(emulator: Emulator, send: Send) -> None:
    assert post(send, emulator, NAME).status == 201
    assert post(send, emulator, NAME, end="").status == 400
    assert len(emulator.knowledge_bases) == 1


def test_form_to_another_endpoint_is_refused(emulator: Emulator, send: Send) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = send(emulator, "POST", "/v3/list-calls", b"--b--\r\n", headers=headers)
    assert (reply.status, reply.json["message"]) == (400, "body is not valid JSON")


def test_json_is_accepted_only_if_the_option_is_set(emulator: Emulator, send: Send) -> None:
    body = {"knowledge_base_name": "x", "knowledge_base_texts": [{"title": "a", "text": "b"}]}
    assert send(emulator, "POST", "/create-knowledge-base", body).status == 400
    emulator.options.knowledge_bases.accepts_json = True
    assert send(emulator, "POST", "/create-knowledge-base", body).status == 201


def test_field_that_is_too_large_is_refused(emulator: Emulator, send: Send, mocker: Any) -> None:
    mocker.patch("airflow_provider_retell.emulator.multipart.MAX_FIELD", 10)
    assert post(send, emulator, ("knowledge_base_name", "x" * 11)).status == 413


def test_control_api_adds_and_edits_knowledge_bases(emulator: Emulator, send: Send) -> None:
    path = "/_emulator/knowledge_bases"
    reply = send(
        emulator, "POST", path, {"knowledge_base_id": "kb_1", "knowledge_base_sources": [{"title": "a"}]}
    )
    assert reply.json[0]["knowledge_base_sources"][0]["title"] == "a"
    assert send(emulator, "PATCH", f"{path}/kb_1", {"status": "error"}).json["status"] == "error"
    assert [item["status"] for item in send(emulator, "GET", path).json] == ["error"]
    assert send(emulator, "PATCH", f"{path}/kb_2", {"status": "error"}).status == 404
    for wrong in (
        {"knowledge_base_id": "kb_1"},
        {"status": "done"},
        {"knowledge_base_sources": [{"type": "page"}]},
    ):
        assert send(emulator, "POST", path, wrong).status == 400
    for wrong in ({"status": "done"}, {"knowledge_base_id": "kb_2"}):
        assert send(emulator, "PATCH", f"{path}/kb_1", wrong).status == 400


def test_reset_removes_knowledge_bases(emulator: Emulator) -> None:
    emulator.add_knowledge_base()
    emulator.edit_knowledge_base(
        next(iter(emulator.knowledge_bases)), knowledge_base_sources=[{"title": "b"}]
    )
    emulator.reset()
    assert emulator.knowledge_bases == {}
