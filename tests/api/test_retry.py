"""``decide`` as a table: outcomes of an attempt, and the decision for each."""

from __future__ import annotations

import email.utils
import re
import traceback
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from airflow_provider_retell.api import errors
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import RetryLimits, Wait, decide

NOW = 1_800_000_000.0
CALL = b'{"call_id": "call_1", "call_status": "ended"}'
IDEMPOTENT = endpoints.get_call("call_1")
PLACE = endpoints.create_phone_call("+14155550100", "+14155550123")
BACKOFF = 0.5  # of the first attempt, without jitter


def response(status: int, body: bytes = b"{}", json: bool = True, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = "application/json" if json else "text/html"
    return Response(status, CaseInsensitiveDict({"Content-Type": kind, **named}), body)


def decision(outcome: Any, request: Request[Any] = IDEMPOTENT, **options: Any) -> Any:
    return decide(
        request, outcome, **{"attempt": 1, "waited": 0.0, "now": NOW, "jitter": lambda: 0.0, **options}
    )


def date(seconds: float) -> str:
    return email.utils.formatdate(NOW + seconds, usegmt=True)


TRUNCATED = response(200, b'{"call_id": "call_1", "call_st')


@pytest.mark.parametrize(
    ("outcome", "seconds", "throttled"),
    [
        (response(429), BACKOFF, True),
        (response(429, Retry_After="7"), 7, True),
        (response(429, Retry_After="0.25"), 0.25, True),
        (response(429, retry_after="7", ratelimit_reset="3"), 7, True),
        (response(429, Retry_After=date(9)), 9, True),
        (response(429, Retry_After=date(-9)), BACKOFF, True),
        (response(429, Retry_After="0"), BACKOFF, True),
        (response(429, Retry_After="soon"), BACKOFF, True),
        (response(429, Retry_After=""), BACKOFF, True),
        (response(429, Retry_After="-5"), BACKOFF, True),
        (response(429, Retry_After="nan"), BACKOFF, True),
        (response(429, Retry_After="inf"), BACKOFF, True),
        (response(429, Retry_After="Fri, 31 Dec 99999 23:59:59 GMT"), BACKOFF, True),
        (response(429, Retry_After="soon", RateLimit_Reset="3"), 3, True),
        (response(429, Retry_After="0", RateLimit_Reset="3"), BACKOFF, True),
        (response(429, RateLimit_Reset="3"), 3, True),
        (response(429, RateLimit_Reset="0"), BACKOFF, True),
        (response(429, RateLimit_Reset="later"), BACKOFF, True),
        (response(429, RateLimit_Reset=str(int(NOW) + 4)), 4, True),
        (response(429, RateLimit_Reset=str(int(NOW) - 4)), BACKOFF, True),
        (response(500), BACKOFF, False),
        (response(502, json=False), BACKOFF, False),
        (response(503, Retry_After="2"), 2, False),
        (response(500, RateLimit_Reset="8"), BACKOFF, False),
        (response(599), BACKOFF, False),
        (response(408), BACKOFF, False),
        (response(409), BACKOFF, False),
        (response(425), BACKOFF, False),
        (response(409, x_should_retry="true"), BACKOFF, False),
        (response(400, x_should_retry="true"), BACKOFF, False),
        (TRUNCATED, BACKOFF, False),
        (errors.RetellConnectionError("dropped"), BACKOFF, False),
        (errors.RetellTimeoutError("slow"), BACKOFF, False),
    ],
)
def test_idempotent_request_is_repeated_after_the_servers_wait_or_backoff(
    outcome: Any, seconds: float, throttled: bool
) -> None:
    wait = decision(outcome)
    assert isinstance(wait, Wait)
    assert wait.seconds == pytest.approx(seconds)
    assert wait.throttled is throttled


NOT_PROCESSED = {
    "429": response(429),
    "429 Retry-After": response(429, Retry_After="7"),
    "429 x-should-retry": response(429, x_should_retry="true"),
    "400 x-should-retry": response(400, x_should_retry="true"),
    "409": response(409),
    "425": response(425),
    "dns": errors.RetellConnectionError("x", kind="dns"),
    "refused": errors.RetellConnectionError("x", kind="refused"),
    "connect": errors.RetellTimeoutError("x", kind="connect"),
}
MAYBE_PROCESSED = {
    "timeout": errors.RetellTimeoutError("x"),
    "dropped": errors.RetellConnectionError("x", kind="dropped"),
    "tls": errors.RetellConnectionError("x", kind="tls"),
    "408": response(408),
    "408 x-should-retry": response(408, x_should_retry="true"),
    "500": response(500),
    "500 x-should-retry": response(500, x_should_retry="true"),
    "503 Retry-After": response(503, Retry_After="2"),
    "503 Retry-After x-should-retry": response(503, Retry_After="2", x_should_retry="true"),
    "599": response(599),
    "truncated": TRUNCATED,
}
ONLY_ONCE = [
    PLACE,
    endpoints.create_batch_call("+14155550100", [{"to_number": "+14155550123"}]),
    endpoints.rerun_call_analysis("call_1"),
    endpoints.update_live_call("call_1", additional_context="hello"),
]


@pytest.mark.parametrize("request_", ONLY_ONCE, ids=str)
@pytest.mark.parametrize("name", NOT_PROCESSED)
def test_request_that_is_not_idempotent_is_repeated_if_retell_did_not_process_it(
    request_: Request[Any], name: str
) -> None:
    wait = decision(NOT_PROCESSED[name], request_)
    assert isinstance(wait, Wait)
    assert wait.seconds == pytest.approx(7 if "Retry-After" in name else BACKOFF)
    assert wait.throttled is ("429" in name)


@pytest.mark.parametrize("request_", ONLY_ONCE, ids=str)
@pytest.mark.parametrize("name", MAYBE_PROCESSED)
def test_request_that_is_not_idempotent_is_not_repeated_if_retell_may_have_processed_it(
    request_: Request[Any], name: str
) -> None:
    with pytest.raises(errors.RetellError) as caught:
        decision(MAYBE_PROCESSED[name], request_)
    assert not caught.value.not_processed
    assert isinstance(decision(MAYBE_PROCESSED[name]), Wait)  # an idempotent request is repeated


def test_an_incomplete_response_is_not_taken_for_a_change_of_the_api() -> None:
    with pytest.raises(errors.RetellResponseError, match="the response was incomplete") as caught:
        decision(TRUNCATED, PLACE)
    assert "changed its API" not in str(caught.value)


def test_request_that_is_not_idempotent_gives_up_at_the_limits() -> None:
    for options in ({"attempt": 8}, {"waited": 120.0}):
        with pytest.raises(errors.RateLimitError):
            decision(response(429), PLACE, **options)


@pytest.mark.parametrize("request_", [IDEMPOTENT, PLACE], ids=str)
@pytest.mark.parametrize(
    ("outcome", "kind", "permanent"),
    [
        (response(400), errors.BadRequestError, True),
        (response(401), errors.AuthenticationError, True),
        (response(402), errors.PaymentRequiredError, True),
        (response(403), errors.PermissionDeniedError, True),
        (response(404), errors.NotFoundError, True),
        (response(418), errors.RetellStatusError, True),
        (response(199), errors.RetellStatusError, True),
        (response(300), errors.RetellStatusError, True),
        (response(301), errors.RetellStatusError, True),
        (response(408, x_should_retry="false"), errors.RetellStatusError, False),
        (response(409, x_should_retry="false"), errors.RetellStatusError, False),
        (response(429, x_should_retry="false"), errors.RateLimitError, False),
        (response(500, x_should_retry="false"), errors.ServerError, False),
        (response(429, Retry_After="121"), errors.RateLimitError, False),
        (response(200, b"<html>", json=False), errors.RetellResponseError, False),
        (response(200, b"", json=False), errors.RetellResponseError, False),
        (response(200, b'{"call_id": "call_1"}'), errors.RetellResponseError, False),
        (response(200, b"[]"), errors.RetellResponseError, False),
        (response(200, b'"\xff"', json=False), errors.RetellResponseError, False),
    ],
)
def test_error_that_a_repetition_cannot_fix_is_raised_at_once(
    request_: Request[Any], outcome: Any, kind: type, permanent: bool
) -> None:
    with pytest.raises(errors.RetellError) as caught:
        decision(outcome, request_)
    assert type(caught.value) is kind
    assert caught.value.permanent is permanent


def test_422_is_an_unknown_id_without_a_body_and_a_rejection_with_one() -> None:
    with pytest.raises(errors.NotFoundError):
        decision(response(422))
    with pytest.raises(errors.UnprocessableError):
        decision(response(422), endpoints.update_call("call_1", metadata={}))


@pytest.mark.parametrize("status", [408, 409, 425])
def test_transient_error_is_not_permanent_after_the_last_attempt(status: int) -> None:
    with pytest.raises(errors.RetellStatusError, match="run the task again later") as caught:
        decision(response(status), attempt=8)
    assert not caught.value.permanent


@pytest.mark.parametrize("request_", [IDEMPOTENT, PLACE], ids=str)
@pytest.mark.parametrize("status", [200, 299])
def test_success_with_an_incomplete_body_is_not_repeated(request_: Request[Any], status: int) -> None:
    outcome = Response(status, CaseInsensitiveDict(), CALL, "is larger than 128 MB")
    with pytest.raises(errors.RetellResponseError) as caught:
        decision(outcome, request_)
    assert str(caught.value).startswith(
        f"{request_}: Retell answered {status}, but the body is larger than 128 MB. Check the host"
    )


def test_incomplete_body_of_an_error_does_not_hide_its_status() -> None:
    outcome = Response(300, CaseInsensitiveDict(), b"", "is larger than 128 MB")
    with pytest.raises(errors.RetellStatusError, match="Retell answered 300"):
        decision(outcome)


def test_success_is_parsed() -> None:
    call = decision(response(200, CALL))
    assert isinstance(call, Call)
    assert call.call_id == "call_1"
    assert decision(response(204, b""), endpoints.delete_call("call_1")) is None


def test_error_has_the_seconds_that_the_server_asked_to_wait() -> None:
    with pytest.raises(errors.RateLimitError) as caught:
        decision(response(429, Retry_After="121"))
    assert caught.value.retry_after == 121
    with pytest.raises(errors.ServerError) as failed:
        decision(response(500, RateLimit_Reset="8"), PLACE)
    assert failed.value.retry_after is None


def test_backoff_doubles_up_to_8_seconds_and_jitter_at_most_halves_it() -> None:
    limits = RetryLimits(attempts=99, seconds=1e6)
    for jitter, factor in ((0.0, 1.0), (1.0, 0.5)):
        waits = [
            decision(response(500), attempt=n, limits=limits, jitter=lambda value=jitter: value).seconds
            for n in range(1, 8)
        ]
        assert waits == [factor * seconds for seconds in (0.5, 1, 2, 4, 8, 8, 8)]


def test_servers_wait_is_never_shortened_and_spread_by_at_most_a_tenth_of_a_second() -> None:
    for jitter in (0.0, 0.5, 0.99):
        wait = decision(response(429, Retry_After="2"), jitter=lambda value=jitter: value)
        assert 2 <= wait.seconds <= 2.1


@pytest.mark.parametrize(
    ("options", "gives_up"),
    [
        ({"attempt": 7}, False),
        ({"attempt": 8}, True),
        ({"waited": 119.5}, False),
        ({"waited": 119.6}, True),
        ({"attempt": 1, "limits": RetryLimits(attempts=1)}, True),
        ({"attempt": 2, "limits": RetryLimits(seconds=0)}, True),
    ],
)
def test_attempts_and_waiting_time_are_limited(options: dict[str, Any], gives_up: bool) -> None:
    outcome = response(500, Retry_After="0.5")
    if not gives_up:
        assert decision(outcome, **options).seconds == 0.5
        return
    with pytest.raises(errors.ServerError) as caught:
        decision(outcome, **options)
    attempts, waited = options.get("attempt", 1), options.get("waited", 0)
    tried = f" Gave up after {attempts} attempts and {waited:.0f} s of waiting" if attempts > 1 else ""
    assert str(caught.value).partition("see status.retellai.com.")[2] == tried
    assert ".. " not in str(caught.value)


def test_error_keeps_its_other_arguments_after_the_last_attempt() -> None:
    error = errors.RetellConnectionError("dropped")
    error.args = ("dropped.", "detail", 3)
    with pytest.raises(errors.RetellConnectionError) as caught:
        decision(error, attempt=8)
    assert caught.value.args == ("dropped. Gave up after 8 attempts and 0 s of waiting", "detail", 3)


def test_undocumented_response_is_described_without_its_values() -> None:
    outcome = response(200, b'{"call_id": {"note": "private"}, "call_status": "ended"}')
    with pytest.raises(errors.RetellResponseError) as caught:
        decision(outcome)
    assert "call_id is not as the API documents it (string_type)" in str(caught.value)
    assert "private" not in "".join(traceback.format_exception(caught.value)).replace(repr(outcome.body), "")


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("text/html", "text/html"),
        ("Application/XHTML+xml ; charset=pr1vate", "application/xhtml+xml"),
        ("text/pr1vate", "another content type"),
        ("application/x-key_pr1vate", "another content type"),
        ("text/html pr1vate", "another content type"),
        ("text/\x1b[31mhtml +14155550123 " + "x" * 5000, "another content type"),
        ("", "another content type"),
    ],
)
def test_message_shows_only_usual_content_types(kind: str, shown: str) -> None:
    for body in (b"no", b'{"hello": 1}'):
        with pytest.raises(
            errors.RetellResponseError, match=rf"answered 200 \({re.escape(shown)}\)"
        ) as caught:
            decision(response(200, body, Content_Type=kind))
        assert "pr1vate" not in str(caught.value)
        assert "charset" not in str(caught.value)


def test_response_without_a_content_type_is_described() -> None:
    with pytest.raises(errors.RetellResponseError, match=r"answered 200 \(no content type\) without JSON"):
        decision(Response(200, CaseInsensitiveDict(), b"no"))


HOST = "heck the host in the Airflow connection, and the proxy"
UNKNOWN = "It is unknown whether Retell processed the request"
UPDATE = endpoints.update_call("call_1", metadata={"a": 1})
STOP = endpoints.stop_call("call_1")
PAGE = response(200, b"<html>Please log in</html>", json=False)


@pytest.mark.parametrize("request_", [IDEMPOTENT, endpoints.list_calls()])
@pytest.mark.parametrize("outcome", [PAGE, response(200, b'{"hello": 1}'), response(200, b"", json=False)])
def test_a_read_that_retell_did_not_answer_says_where_to_look(request_: Any, outcome: Response) -> None:
    with pytest.raises(errors.RetellResponseError) as caught:
        decision(outcome, request_)
    assert HOST in str(caught.value)
    assert "unknown" not in str(caught.value)
    assert ("not an answer of Retell's API" in str(caught.value)) is (outcome is PAGE)


@pytest.mark.parametrize("request_", [UPDATE, PLACE, STOP, endpoints.delete_call("call_1")])
def test_a_write_that_retell_did_not_answer_may_have_been_processed(request_: Any) -> None:
    with pytest.raises(errors.RetellResponseError) as caught:
        decision(PAGE, request_)
    assert HOST in str(caught.value)
    assert UNKNOWN in str(caught.value)
    assert not caught.value.permanent
    assert not caught.value.not_processed
    assert str(caught.value).startswith(f"{caught.value.fault}. ")
    assert caught.value.fault.endswith("the server answered 200 (text/html) without JSON")


@pytest.mark.parametrize("outcome", [response(204, b"", json=False), response(200, b'"success"')])
@pytest.mark.parametrize("request_", [STOP, endpoints.delete_call("call_1")])
def test_an_endpoint_without_a_result_may_answer_nothing_or_json(request_: Any, outcome: Response) -> None:
    assert decision(outcome, request_) is None


def test_a_deletion_whose_json_was_cut_off_is_sent_again() -> None:
    assert isinstance(decision(response(200, b'{"status": '), endpoints.delete_call("call_1")), Wait)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 422])
def test_an_error_of_another_server_is_not_requested_again(status: int) -> None:
    with pytest.raises(errors.RetellStatusError):
        decision(response(status, b"<html>", json=False))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
def test_an_error_of_a_gateway_is_requested_again(status: int) -> None:
    assert isinstance(decision(response(status, b"<html>", json=False)), Wait)


@pytest.mark.parametrize("value", ["1e300", "86401", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_the_longest_wait_is_a_day(value: str) -> None:
    with pytest.raises(errors.RateLimitError, match=r"\(Retell asks to wait 86400 s\)|is used up") as caught:
        decision(response(429, Retry_After=value), limits=RetryLimits(attempts=1))
    assert caught.value.retry_after in (86_400, None)
    assert value != "1e300" or caught.value.retry_after == 86_400


def test_wait_has_a_reason() -> None:
    assert decision(response(503)).reason == "HTTP 503"
    assert decision(errors.RetellTimeoutError("x")).reason == "timeout"
    assert decision(response(409)).reason == "RetellStatusError"
