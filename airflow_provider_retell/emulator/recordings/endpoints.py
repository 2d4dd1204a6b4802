"""The endpoint that serves the files of calls. It needs no API key, as the storage behind Retell's links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.calls.samples import FILES_URL
from airflow_provider_retell.emulator.recordings.content import content_of
from airflow_provider_retell.emulator.recordings.links import PATH
from airflow_provider_retell.emulator.responses import Response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@ROUTES.add("GET", f"{PATH}/{{owner}}/{{call_id}}/{{file}}", name="get-call-file", is_public=True)
def get_call_file(org: Organization, request: Request) -> Response:
    """Return a file of a call, or the requested range of it."""
    call_id, name = request.ids["call_id"], request.ids["file"]
    call = org.call_backend.store.calls.get(call_id)
    if call is None or f"{FILES_URL}/{call_id}/{name}" not in call.values():
        return _refusal(404, "NoSuchKey")
    if not org.call_backend.links.admits(call, request.path, request.query):
        return _refusal(403, "AccessDenied")
    body, media_type = content_of(call, name)
    if not org.options.serves_ranges:
        return Response(200, body, media_type)
    asked = _RANGE.fullmatch(request.range or "")
    if asked is None:
        return Response(200, body, media_type, {"Accept-Ranges": "bytes"})
    first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
    if first > last:
        return Response(416, headers={"Content-Range": f"bytes */{len(body)}"})
    headers = {"Content-Range": f"bytes {first}-{last}/{len(body)}"}
    return Response(206, body[first : last + 1], media_type, headers)


def _refusal(status: int, code: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'
    return Response(status, text.encode(), "application/xml")
