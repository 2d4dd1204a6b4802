"""The vendor's SDK as a client that runs flows, as far as it can express their requests."""

from __future__ import annotations

import functools
import json
import math
from typing import Any
from urllib.parse import parse_qsl

import retell
from retell import Retell

from airflow_provider_retell.api.attempts import attempt
from airflow_provider_retell.api.errors import RetellConnectionError, RetellError
from airflow_provider_retell.api.multipart import Multipart
from airflow_provider_retell.api.quota import Rate, Window
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.contract.clients import WRONG_KEY
from airflow_provider_retell.contract.findings import SkipError
from airflow_provider_retell.hooks.connection import Settings

# Paths, methods and encoding are those of the SDK: only the operation, the ids and the fields go in.
METHODS = {
    "add-knowledge-base-sources": "knowledge_base.add_sources",
    "create-agent-version": "agent.create_version",
    "create-batch-call": "batch_call.create_batch_call",
    "create-batch-test": "tests.create_batch_test",
    "create-contact": "contact.create",
    "create-contact-import": "contact.create_import",
    "create-knowledge-base": "knowledge_base.create",
    "create-phone-call": "call.create_phone_call",
    "create-test-case-definition": "tests.create_test_case_definition",
    "delete-agent-version": "agent.delete_version",
    "delete-call": "call.delete",
    "delete-chat": "chat.delete",
    "delete-contact": "contact.delete",
    "delete-knowledge-base": "knowledge_base.delete",
    "delete-knowledge-base-source": "knowledge_base.delete_source",
    "delete-test-case-definition": "tests.delete_test_case_definition",
    "get-agent": "agent.retrieve",
    "get-api-key-info": "identity.retrieve",
    "get-batch-test": "tests.get_batch_test",
    "get-call": "call.retrieve",
    "get-chat": "chat.retrieve",
    "get-concurrency": "concurrency.retrieve",
    "get-contact": "contact.get",
    "get-contact-import": "contact.get_import",
    "get-knowledge-base": "knowledge_base.retrieve",
    "get-retell-llm": "llm.retrieve",
    "get-test-case-definition": "tests.get_test_case_definition",
    "list-agent-versions": "agent.list_versions",
    "list-agents": "agent.list",
    "list-batch-tests": "tests.list_batch_tests",
    "list-calls": "call.list",
    "list-chats": "chat.list",
    "list-contacts": "contact.list",
    "list-knowledge-bases": "knowledge_base.list",
    "list-phone-numbers": "phone_number.list",
    "list-test-case-definitions": "tests.list_test_case_definitions",
    "list-test-runs": "tests.list_test_runs",
    "rerun-call-analysis": "call.rerun_analysis",
    "stop-call": "call.stop",
    "update-agent": "agent.update",
    "update-call": "call.update",
    "update-chat": "chat.update",
    "update-contact": "contact.update",
    "update-live-call": "call.update_live",
    "update-retell-llm": "llm.update",
    "upload-contact-import-file": "contact.upload_import_file",
    "update-test-case-definition": "tests.update_test_case_definition",
}


class SdkClient:
    """Runs flows with ``retell-sdk``.

    A check with a request that the SDK cannot express is skipped.
    """

    def __init__(self, settings: Settings, restricted_key: str) -> None:
        self._settings = settings
        self._keys = {"wrong key": WRONG_KEY, "restricted key": restricted_key}
        self._sdks: dict[str, Retell] = {}
        self._window = Window(Rate(100_000, 1))

    def __enter__(self) -> SdkClient:
        return self

    def __exit__(self, *_error: object) -> None:
        for sdk in self._sdks.values():
            sdk.close()

    def run(self, client: str, flow: Any) -> Any:
        if client == "no key":
            raise SkipError("the SDK always sends a key")
        sdk = self._sdks.get(client)
        if sdk is None:
            key = self._keys.get(client, self._settings.api_key)
            sdk = Retell(api_key=key, base_url=self._settings.base_url, max_retries=0, timeout=10)
            self._sdks[client] = sdk
        step = functools.partial(next, flow)
        while True:
            try:
                request = step()
            except StopIteration as end:
                return end.value
            try:
                step = functools.partial(flow.send, self._send(sdk, request, client == "hasty"))
            except RetellError as error:
                step = functools.partial(flow.throw, error)

    def _send(self, sdk: Retell, request: Request[Any], hasty: bool) -> Any:
        attempts = attempt(request, self._window, RetryLimits(attempts=1 if hasty else 4, timeout=math.inf))
        outcome: Any = None
        while True:
            try:
                wait = attempts.send(outcome)
            except StopIteration as end:
                return end.value
            outcome = _exchange(sdk, request) if wait is None else None


def _exchange(sdk: Retell, request: Request[Any]) -> Response | RetellConnectionError:
    if request.operation not in METHODS:
        raise SkipError("the SDK has no such endpoint")
    resource, _, method = METHODS[request.operation].partition(".")
    path, _, query = request.path.partition("?")
    # Of "/delete-knowledge-base-source/a/source/b" these are a and b.
    ids = path.partition(f"/{request.operation}")[2].split("/")[1::2]
    fields = {name: int(text) if text.isdigit() else text for name, text in parse_qsl(query)}
    fields |= _body(request.body)
    if method == "delete_source":
        fields["knowledge_base_id"] = ids.pop(0)
    try:
        answer = getattr(getattr(sdk, resource).with_raw_response, method)(*ids, **fields).http_response
    except retell.APIStatusError as error:
        answer = error.response
    except retell.APIConnectionError:
        return RetellConnectionError("no response")
    except TypeError:
        raise SkipError("the SDK has no such field") from None
    return Response(answer.status_code, answer.headers, answer.content)


def _body(body: bytes | Multipart | None) -> dict[str, Any]:
    """Return the fields of a body, for the SDK to encode."""
    if not isinstance(body, Multipart):
        return json.loads(body) if body else {}
    fields: dict[str, Any] = {}
    for part in body.parts:
        content = b"".join(part.content.read())
        if part.name == "file":
            fields["file"] = (part.filename, content, part.content_type)
        elif part.filename is not None:
            fields.setdefault(part.name, []).append((part.filename, content, part.content_type))
        elif part.name in ("knowledge_base_texts", "knowledge_base_urls"):
            fields[part.name] = json.loads(content)
        else:
            fields[part.name] = content.decode()
    return fields
