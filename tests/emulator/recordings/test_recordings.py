"""The files of calls, with the vendor's SDK as the client that reads the links."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
import wave
from typing import TYPE_CHECKING

import pytest

from airflow_provider_retell.emulator import Emulator, Fault

if TYPE_CHECKING:
    from retell import Retell

    from tests.emulator.conftest import Connect, Make, Send

DAY = 24 * 3600


def fetch(link: str | None, **headers: str) -> tuple[int, bytes]:
    """Return the status and the body of a file. The request has no API key."""
    assert link is not None
    try:
        with urllib.request.urlopen(urllib.request.Request(link, headers=headers), timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_recording_of_a_call_is_a_wav_file_of_the_calls_length(
    emulator: Emulator, client: Retell
) -> None:
    emulator.add_call(call_id="call_1", duration_ms=2500)
    call = client.call.retrieve("call_1")
    for link, channels in ((call.recording_url, 1), (call.recording_multi_channel_url, 2)):
        status, body = fetch(link)
        assert status == 200
        with wave.open(io.BytesIO(body)) as audio:
            assert (audio.getnchannels(), audio.getnframes() / audio.getframerate()) == (channels, 2.5)
    assert b"call_1" in fetch(call.public_log_url)[1]


@pytest.mark.usefixtures("v3_sdk")
def test_listed_calls_have_the_same_links(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1")
    [listed] = client.call.list().items
    assert listed.recording_url == client.call.retrieve("call_1").recording_url


def test_a_range_of_a_file_can_be_requested(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1", duration_ms=1000)
    link = client.call.retrieve("call_1").recording_url
    _, whole = fetch(link)
    assert fetch(link, Range="bytes=0-0") == (206, whole[:1])
    assert fetch(link, Range="bytes=10-") == (206, whole[10:])
    assert fetch(link, Range="bytes=99999999-")[0] == 416


def test_signed_links_expire_after_a_day_and_cannot_be_changed(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1", opt_in_signed_url=True)
    link = client.call.retrieve("call_1").recording_url
    assert link is not None
    assert fetch(link)[0] == 200
    assert fetch(link.partition("?")[0])[0] == 403
    assert fetch(link.replace("Expires=", "Expires=9"))[0] == 403
    emulator.clock.advance(DAY - 1)
    assert fetch(link)[0] == 200
    emulator.clock.advance(1)
    status, body = fetch(link)
    assert (status, b"AccessDenied" in body) == (403, True)
    assert fetch(client.call.retrieve("call_1").recording_url)[0] == 200


def test_files_that_a_call_does_not_have_are_unknown(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1")
    link = client.call.retrieve("call_1").recording_url
    client.call.update("call_1", data_storage_setting="basic_attributes_only")
    assert client.call.retrieve("call_1").recording_url is None
    assert fetch(link)[0] == 404


def test_each_organization_has_its_own_files(make: Make, connect: Connect) -> None:
    emulator = make()
    other = emulator.add_organization("other")
    other.add_call(call_id="call_1", duration_ms=1000)
    link = connect(emulator, other.api_key).call.retrieve("call_1").recording_url
    assert link is not None
    assert fetch(link)[0] == 200
    assert fetch(link.replace("/other/", "/default/"))[0] == 404
    assert fetch(link.replace("/other/", "/nobody/"))[0] == 404


def test_faults_strike_files(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1")
    link = client.call.retrieve("call_1").recording_url
    emulator.faults.add(Fault.truncate(), route="get-call-file", call_id="call_1")
    with pytest.raises(Exception, match="IncompleteRead"):
        fetch(link)
    assert fetch(link)[0] == 200


def test_links_that_a_test_sets_stay_as_they_are(emulator: Emulator, client: Retell, send: Send) -> None:
    emulator.add_call(call_id="call_1", recording_url="https://example.com/a.wav")
    assert client.call.retrieve("call_1").recording_url == "https://example.com/a.wav"
    assert send(emulator, "GET", "/call-files/default/call_1/recording.wav", key=None).status == 404
