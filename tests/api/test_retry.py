"""``decide`` as a table: what came, what follows. And one request as steps, without a socket."""

from __future__ import annotations

import email.utils
import traceback
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from airflow_provider_retell.api import errors
from airflow_provider_retell.api.attempts import attempt
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.quota import Rate, Window
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import RetryLimits, Wait, decide

NOW = 1_800_000_000.0
CALL = b'{"call_id": "call_1", "call_status": "ended"}'
REPEATABLE = endpoints.get_call("call_1")
ONCE = endpoints.create_phone_call("+14155550100", "+14155550123")
BACKOFF = 0.5  # of the first attempt, with no jitter


def response(status: int, body: bytes = b"{}", json: bool = True, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = "application/json" if json else "text/html"
    return Response(status, CaseInsensitiveDict({"Content-Type": kind, **named}), body)


def verdict(outcome: Any, request: Request[Any] = REPEATABLE, **options: Any) -> Any:
    return decide(
        request, outcome, **{"attempt": 1, "waited": 0.0, "now": NOW, "jitter": lambda: 0.0, **options}
    )


def date(seconds: float) -> str:
    return email.utils.formatdate(NOW + seconds, usegmt=True)


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
        (response(200, b'{"call_id": "call_1", "call_st'), BACKOFF, False),
        (errors.RetellConnectionError("dropped"), BACKOFF, False),
        (errors.RetellTimeoutError("slow"), BACKOFF, False),
    ],
)
def test_a_repeatable_request_waits_and_another_is_not_sent_again(
    outcome: Any, seconds: float, throttled: bool
) -> None:
    wait = verdict(outcome)
    assert isinstance(wait, Wait)
    assert wait.seconds == pytest.approx(seconds)
    assert wait.throttled is throttled
    with pytest.raises(errors.RetellError):
        verdict(outcome, ONCE)


@pytest.mark.parametrize(
    ("outcome", "kind", "permanent"),
    [
        (response(400), errors.BadRequestError, True),
        (response(401), errors.AuthenticationError, True),
        (response(402), errors.PaymentRequiredError, True),
        (response(403), errors.PermissionDeniedError, True),
        (response(404), errors.NotFoundError, True),
        (response(422), errors.NotFoundError, True),
        (response(418), errors.RetellStatusError, True),
        (response(301), errors.RetellStatusError, True),
        (response(408, x_should_retry="false"), errors.RetellStatusError, False),
        (response(429, x_should_retry="false"), errors.RateLimitError, False),
        (response(500, x_should_retry="false"), errors.ServerError, False),
        (response(429, Retry_After="121"), errors.RateLimitError, False),
        (response(200, b"<html>", json=False), errors.RetellResponseError, False),
        (response(200, b"<html>"[:0], json=False), errors.RetellResponseError, False),
        (response(200, b'{"call_id": "call_1"}'), errors.RetellResponseError, False),
        (response(200, b"[]"), errors.RetellResponseError, False),
        (response(200, b'"\xff"', json=False), errors.RetellResponseError, False),
    ],
)
def test_what_cannot_get_better_is_raised_at_once(outcome: Any, kind: type, permanent: bool) -> None:
    with pytest.raises(errors.RetellError) as caught:
        verdict(outcome)
    assert type(caught.value) is kind
    assert caught.value.permanent is permanent


@pytest.mark.parametrize("status", [408, 409, 425])
def test_a_passing_fault_is_not_permanent_when_the_tries_are_used_up(status: int) -> None:
    with pytest.raises(errors.RetellStatusError, match="run the task again later") as caught:
        decide(endpoints.get_call("call_1"), response(status), attempt=8, waited=0, now=NOW)
    assert not caught.value.permanent


def test_the_hint_to_retry_does_not_repeat_what_may_not_be_repeated() -> None:
    with pytest.raises(errors.ServerError):
        verdict(response(500, x_should_retry="true"), ONCE)


def test_an_unprocessable_body_is_not_a_missing_id() -> None:
    with pytest.raises(errors.UnprocessableError):
        verdict(response(422), endpoints.update_call("call_1", metadata={}))


def test_a_success_is_parsed() -> None:
    call = verdict(response(200, CALL))
    assert isinstance(call, Call)
    assert call.call_id == "call_1"
    assert verdict(response(204, b""), endpoints.delete_call("call_1")) is None


def test_the_error_holds_what_the_server_asked_to_wait() -> None:
    with pytest.raises(errors.RateLimitError) as caught:
        verdict(response(429, Retry_After="121"))
    assert caught.value.retry_after == 121
    with pytest.raises(errors.ServerError) as failed:
        verdict(response(500, RateLimit_Reset="8"), ONCE)
    assert failed.value.retry_after is None


def test_backoff_doubles_up_to_eight_seconds_and_jitter_halves_it_at_most() -> None:
    patience = RetryLimits(attempts=99, seconds=1e6)
    for jitter, factor in ((0.0, 1.0), (1.0, 0.5)):
        waits = [
            verdict(response(500), attempt=n, retry=patience, jitter=lambda value=jitter: value).seconds
            for n in range(1, 8)
        ]
        assert waits == [factor * seconds for seconds in (0.5, 1, 2, 4, 8, 8, 8)]


def test_the_servers_word_is_never_undercut_and_a_little_spread() -> None:
    for jitter in (0.0, 0.5, 0.99):
        wait = verdict(response(429, Retry_After="2"), jitter=lambda value=jitter: value)
        assert 2 <= wait.seconds <= 2.1


@pytest.mark.parametrize(
    ("options", "gives_up"),
    [
        ({"attempt": 7}, False),
        ({"attempt": 8}, True),
        ({"waited": 119.5}, False),
        ({"waited": 119.6}, True),
        ({"attempt": 1, "patience": RetryLimits(attempts=1)}, True),
        ({"attempt": 2, "patience": RetryLimits(seconds=0)}, True),
    ],
)
def test_attempts_and_time_are_bounded(options: dict[str, Any], gives_up: bool) -> None:
    outcome = response(500, Retry_After="0.5")
    if not gives_up:
        assert verdict(outcome, **options).seconds == 0.5
        return
    with pytest.raises(errors.ServerError) as caught:
        verdict(outcome, **options)
    tried = options.get("attempt", 1)
    assert (f"Tried {tried} times" in str(caught.value)) is (tried > 1)


def test_an_answer_that_is_not_as_documented_is_named_without_its_values() -> None:
    outcome = response(200, b'{"call_id": {"note": "private"}, "call_status": "ended"}')
    with pytest.raises(errors.RetellResponseError) as caught:
        verdict(outcome)
    assert "call_id is not as its API documents (string_type)" in str(caught.value)
    assert "private" not in "".join(traceback.format_exception(caught.value)).replace(repr(outcome.body), "")


def test_a_wait_says_why() -> None:
    assert verdict(response(503)).reason == "HTTP 503"
    assert verdict(errors.RetellTimeoutError("x")).reason == "timeout"
    assert verdict(response(409)).reason == "RetellStatusError"


# -- one request as steps -----------------------------------------------------------------------------------------


class Simulation:
    """Runs the steps of requests on a clock of its own."""

    def __init__(self, window: Window, answers: list[Any], patience: RetryLimits | None = None) -> None:
        self.now = 1000.0
        self.window = window
        self.answers = answers
        self.sent: list[float] = []
        self.patience = patience or RetryLimits()

    def run(self, request: Request[Any] = REPEATABLE) -> Any:
        steps = attempt(request, self.window, self.patience, clock=lambda: self.now)
        outcome = None
        try:
            while True:
                seconds = steps.send(outcome)
                outcome = None
                if seconds is None:
                    self.sent.append(self.now)
                    outcome = self.answers.pop(0)
                else:
                    self.now += seconds
        except StopIteration as end:
            return end.value


def test_it_waits_as_told_and_then_returns() -> None:
    simulation = Simulation(
        Window(Rate(100, 10)), [response(429, Retry_After="3"), response(500), response(200, CALL)]
    )
    assert simulation.run().call_id == "call_1"
    first, second, third = simulation.sent
    assert 3 <= second - first <= 3.2
    assert 0.5 <= third - second <= 1


def test_a_throttled_request_pauses_the_whole_route_and_a_failed_one_does_not() -> None:
    window = Window(Rate(100, 10))
    steps = attempt(REPEATABLE, window, RetryLimits(), clock=lambda: 0.0)
    assert next(steps) is None
    steps.send(response(500))
    assert window.wait(0.0) == 0
    assert steps.send(None) is None
    steps.send(response(429, Retry_After="3"))
    assert 3 <= window.wait(0.0) <= 3.2


def test_a_wait_beyond_retry_limits_pauses_the_route_for_an_hour_at_most() -> None:
    simulation = Simulation(
        Window(Rate(100, 10)), [response(429, Retry_After="86400"), response(200, CALL), response(200, CALL)]
    )
    for moment, left in ((0, 86400), (1, 3599), (3400, 200)):
        simulation.now = 1000.0 + moment
        with pytest.raises(errors.RateLimitError) as caught:
            simulation.run()
        assert caught.value.retry_after == left
    assert simulation.sent == [1000.0]
    simulation.now = 1000.0 + 3500  # the rest is within patience
    simulation.run()
    assert simulation.sent == [1000.0, 4600.0]


def test_waiting_for_room_does_not_use_up_retry_limits() -> None:
    window = Window(Rate(1, 1000))
    simulation = Simulation(window, [response(500), response(200, CALL)], RetryLimits(seconds=1))
    simulation.run()
    assert simulation.sent[1] - simulation.sent[0] >= 1000


def test_an_interrupted_request_gives_its_place_back() -> None:
    window = Window(Rate(1, 10))
    steps = attempt(REPEATABLE, window, RetryLimits(), clock=lambda: 0.0)
    assert next(steps) is None
    steps.close()
    assert window.wait(0.0) == 10  # answered, not in flight for ever
    assert window.wait(10.0) == 0


def test_a_retry_is_logged_without_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    request = endpoints.update_call("call_1", metadata={"note": "private"})
    Simulation(Window(Rate(9, 9)), [response(503), response(200, CALL)]).run(request)
    (record,) = caplog.records
    assert record.getMessage().startswith("update-call of call call_1: HTTP 503, attempt 1, next in 0.")
