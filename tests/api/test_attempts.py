"""All attempts of one request, with a simulated clock and without sockets."""

from __future__ import annotations

import copy
from email.utils import formatdate
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict
from sleeping_clock import SleepingClock

from airflow_provider_retell.api import errors
from airflow_provider_retell.api.attempts import attempt
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.quota import Rate, Window
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import RetryLimits

GET = endpoints.get_call("call_1")
PLACE = endpoints.create_phone_call("+14155550100", "+14155550123")


@pytest.fixture(autouse=True)
def clock(mocker: Any) -> SleepingClock:
    return mocker.patch("airflow_provider_retell.clock._clock", SleepingClock())


def response(status: int, body: bytes = b"{}", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, CaseInsensitiveDict({"Content-Type": "application/json", **named}), body)


SUCCESS = response(200, b'{"call_id": "call_1", "call_status": "ended"}')


class Sender:
    """Sends requests as a hook does, to a server with prepared responses."""

    def __init__(
        self, clock: SleepingClock, window: Window, outcomes: list[Any], limits: RetryLimits | None = None
    ) -> None:
        self.clock = clock
        self.window = window
        self.outcomes = outcomes
        self.limits = limits or RetryLimits()
        self.sent: list[float] = []

    def send(self, request: Request[Any] = GET) -> Any:
        attempts = attempt(request, self.window, self.limits)
        outcome = None
        try:
            while True:
                seconds = attempts.send(outcome)
                outcome = None
                if seconds is None:
                    self.sent.append(self.clock.time())
                    outcome = self.outcomes.pop(0)
                else:
                    self.clock.sleep(seconds)
        except StopIteration as end:
            return end.value


def test_retries_wait_as_decided_and_the_result_is_returned(clock: SleepingClock) -> None:
    outcomes = [response(429, Retry_After="3"), response(500), SUCCESS]
    sender = Sender(clock, Window(Rate(100, 10)), outcomes)
    assert sender.send().call_id == "call_1"
    first, second, third = sender.sent
    assert 3 <= second - first <= 3.2
    assert 0.5 <= third - second <= 1


def test_request_that_is_not_idempotent_survives_429_but_not_500(clock: SleepingClock) -> None:
    outcomes = [response(429, Retry_After="3"), response(429, Retry_After="3"), SUCCESS]
    sender = Sender(clock, Window(Rate(100, 10)), outcomes)
    assert sender.send(PLACE).call_id == "call_1"
    assert len(sender.sent) == 3
    sender = Sender(clock, Window(Rate(100, 10)), [response(429), response(500), SUCCESS])
    with pytest.raises(errors.ServerError):
        sender.send(PLACE)
    assert len(sender.sent) == 2


KEYED = endpoints.create_phone_call("+14155550100", "+14155550123", idempotency_key="key-1")
LOST = [
    response(500),
    response(200, b'{"call_id": "ca'),
    errors.RetellTimeoutError("late"),
    errors.RetellConnectionError("broken"),
]
REFUSED = [response(402), errors.RetellConnectionError("nobody answers", kind="refused")]


@pytest.mark.parametrize("refused", REFUSED, ids=["402", "refused"])
@pytest.mark.parametrize("lost", LOST, ids=["500", "truncated", "timeout", "dropped"])
def test_rejection_does_not_prove_that_an_earlier_attempt_was_not_processed(
    clock: SleepingClock, lost: Any, refused: Any
) -> None:
    for request, outcomes, expected in (
        (KEYED, [refused], True),
        (KEYED, [response(429), refused], True),
        (KEYED, [lost, refused], False),
        (KEYED, [lost, response(429), refused], False),
        (GET, [lost, refused], True),
    ):
        limits = RetryLimits(attempts=len(outcomes))
        # Copies, because errors change when they are raised.
        sender = Sender(clock, Window(Rate(100, 10)), [copy.copy(outcome) for outcome in outcomes], limits)
        with pytest.raises(errors.RetellError) as caught:
            sender.send(request)
        assert not sender.outcomes
        assert caught.value.not_processed is expected


def test_pause_does_not_prove_that_an_earlier_attempt_was_not_processed(clock: SleepingClock) -> None:
    window = Window(Rate(100, 10))
    attempts = attempt(KEYED, window, RetryLimits())
    attempts.send(None)
    attempts.send(response(500))
    window.pause(clock.monotonic() + 1000)
    with pytest.raises(errors.RateLimitError) as caught:
        attempts.send(None)
    assert not caught.value.not_processed


def test_429_pauses_the_route_and_500_does_not(clock: SleepingClock) -> None:
    window = Window(Rate(100, 10))
    attempts = attempt(GET, window, RetryLimits())
    assert next(attempts) is None
    attempts.send(response(500))
    assert window.reserve(1000.0) == 0
    assert attempts.send(None) is None
    attempts.send(response(429, Retry_After="3"))
    assert 3 <= window.reserve(1000.0) <= 3.2
    assert 3 <= window.pause_left(1000.0) <= 3.2


def test_wait_beyond_the_limits_pauses_the_route_for_at_most_an_hour(clock: SleepingClock) -> None:
    outcomes = [response(429, Retry_After="86400"), SUCCESS, SUCCESS]
    sender = Sender(clock, Window(Rate(100, 10)), outcomes)
    for passed, left in ((0, 86400), (1, 3599), (3400, 200)):
        clock.skipped = passed
        with pytest.raises(errors.RateLimitError) as caught:
            sender.send()
        assert caught.value.retry_after == left
        assert str(caught.value).startswith("get-call of call call_1: ")
    assert sender.sent == [1000.0]
    clock.skipped = 3500  # the rest of the pause is within the limits
    sender.send()
    assert sender.sent == [1000.0, 4600.0]


def test_pause_as_long_as_the_limits_is_waited_for(clock: SleepingClock) -> None:
    window = Window(Rate(100, 10))
    sender = Sender(clock, window, [SUCCESS], RetryLimits(seconds=30))
    window.pause(1030.0)
    sender.send()
    assert sender.sent == [1030.0]


def test_refusal_without_a_wait_does_not_pause_the_route(clock: SleepingClock) -> None:
    window = Window(Rate(100, 10))
    with pytest.raises(errors.RateLimitError):
        Sender(clock, window, [response(429, x_should_retry="false")]).send()
    assert window.pause_left(1000.0) == 0


def test_all_waits_together_are_limited(clock: SleepingClock) -> None:
    outcomes = [response(500, Retry_After="1") for _ in range(9)]
    sender = Sender(clock, Window(Rate(100, 10)), outcomes, RetryLimits(attempts=99, seconds=2.5))
    with pytest.raises(errors.ServerError, match="Gave up after 3 attempts and 2 s of waiting"):
        sender.send()
    assert len(sender.sent) == 3


def test_date_in_a_header_is_compared_with_the_clock(clock: SleepingClock) -> None:
    outcomes = [response(429, Retry_After=formatdate(1007, usegmt=True)), SUCCESS]
    sender = Sender(clock, Window(Rate(100, 10)), outcomes)
    sender.send()
    assert 7 <= sender.sent[1] - sender.sent[0] <= 7.2


def free_slots(window: Window, now: float) -> int:
    count = 0
    while window.reserve(now) == 0:
        count += 1
    return count


def test_window_learns_from_the_headers_of_a_response(clock: SleepingClock) -> None:
    window = Window(Rate(10, 10))
    Sender(clock, window, [response(200, SUCCESS.body, RateLimit_Remaining="5")]).send()
    assert free_slots(window, 1000.0) == 5  # 1 was used, and 4 are left to other clients


def test_refused_request_is_not_among_those_that_the_server_counted(clock: SleepingClock) -> None:
    window = Window(Rate(10, 10))
    Sender(clock, window, [response(429), response(200, SUCCESS.body, RateLimit_Remaining="7")]).send()
    assert free_slots(window, clock.time()) == 6  # 2 were used, and 2 are left to other clients


def test_window_knows_when_a_request_was_sent(clock: SleepingClock) -> None:
    window = Window(Rate(10, 10))
    Sender(clock, window, [SUCCESS]).send()
    clock.skipped = 9.5
    attempts = attempt(GET, window, RetryLimits())
    assert next(attempts) is None
    clock.skipped = (
        11  # the response is slow: the server counted this request when it still counted the first
    )
    with pytest.raises(StopIteration):
        attempts.send(response(200, SUCCESS.body, RateLimit_Remaining="8"))
    assert free_slots(window, clock.time()) == 9


@pytest.mark.parametrize("status", [200, 404, 429])
def test_result_of_an_observed_request_is_its_response(clock: SleepingClock, status: int) -> None:
    outcome = response(status, SUCCESS.body, x_should_retry="false")
    assert Sender(clock, Window(Rate(9, 9)), [outcome]).send(GET.observe()) is outcome


@pytest.mark.parametrize(
    "fault", [response(503), response(200, b'{"call_id": "ca')], ids=["503", "truncated"]
)
def test_observed_request_is_repeated_as_any_other(clock: SleepingClock, fault: Response) -> None:
    sender = Sender(clock, Window(Rate(9, 9)), [fault, fault, SUCCESS])
    assert sender.send(GET.observe()) is SUCCESS


def test_last_error_of_an_observed_request_is_its_result(clock: SleepingClock) -> None:
    last = response(429, Retry_After="30")
    sender = Sender(clock, Window(Rate(9, 9)), [response(503), last], RetryLimits(attempts=2))
    assert sender.send(GET.observe()) is last


def test_observed_request_without_a_response_raises_its_error(clock: SleepingClock) -> None:
    sender = Sender(
        clock, Window(Rate(9, 9)), [errors.RetellConnectionError("dropped")], RetryLimits(attempts=1)
    )
    with pytest.raises(errors.RetellConnectionError, match="dropped"):
        sender.send(GET.observe())


def test_waiting_for_a_slot_does_not_count_against_the_limits(clock: SleepingClock) -> None:
    window = Window(Rate(1, 1000))
    sender = Sender(clock, window, [response(500), SUCCESS], RetryLimits(seconds=1))
    sender.send()
    assert sender.sent[1] - sender.sent[0] >= 1000


def test_wait_of_less_than_a_second_for_a_slot_is_waited_for(clock: SleepingClock) -> None:
    sender = Sender(clock, Window(Rate(1, 0.5)), [SUCCESS, SUCCESS])
    sender.send()
    sender.send()
    assert sender.sent == [1000.0, 1000.5]


def test_interrupted_request_frees_its_slot_after_one_window(clock: SleepingClock) -> None:
    window = Window(Rate(1, 10))
    attempts = attempt(GET, window, RetryLimits())
    assert next(attempts) is None
    attempts.close()
    assert window.reserve(1000.0) == 10
    assert window.reserve(1010.0) == 0


@pytest.mark.usefixtures("whole_log")
def test_retry_is_logged_without_values(clock: SleepingClock, caplog: pytest.LogCaptureFixture) -> None:
    request = endpoints.update_call("call_1", metadata={"note": "private"})
    Sender(clock, Window(Rate(9, 9)), [response(503), SUCCESS]).send(request)
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "update-call of call call_1: HTTP 503 in attempt 1, next attempt in 0."
    )
    assert "private" not in caplog.text


def test_quiet_limits_log_no_warning(clock: SleepingClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    attempts = attempt(endpoints.get_call("call_1"), Window(Rate(9, 9)), RetryLimits(quiet=True))
    assert attempts.send(None) is None
    assert attempts.send(response(503)) is not None
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
