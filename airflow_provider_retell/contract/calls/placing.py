"""Checks that place calls. They cost money, and a person's phone rings."""

from __future__ import annotations

import dataclasses
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.endpoints import (
    create_phone_call,
    get_call,
    list_calls,
    stop_call,
)
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.creation import Creation
from airflow_provider_retell.contract.findings import CannotTellError, Finding, differs, holds
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.records import KEY, TRIES
from airflow_provider_retell.contract.seeing import (
    REJECTED,
    ask,
    describe,
    fields_of,
    is_success,
    result,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call, CallPage
    from airflow_provider_retell.api.request import Flow, Request, Response
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

FROM_NUMBER = Flag("--from-number", "a number of the organization, to place calls from", "NUMBER")
TO_NUMBER = Flag("--to-number", "your own number, to call", "NUMBER")
PLACE = Flag(
    "--place-call",
    "call --to-number and hang up; Retell bills the call, and a second one if it ignores idempotency keys",
)

MAY_BE_LIVE = "may still be ongoing: hang up, and look for the call in Retell's dashboard"

_PLACES = (PLACE, FROM_NUMBER, TO_NUMBER)


@dataclasses.dataclass
class _Placed:
    """A call that was placed.

    :ivar mark: the value of :data:`KEY` in its metadata.
    :ivar created: the call, and a second one if Retell ignores idempotency keys.
    :ivar request: the request that placed it.
    :ivar response: its response.
    :ivar wide_key: the response to the same request with a key of unusual characters, if Retell rejected that.
    """

    mark: str
    created: Creation[str]
    request: Request[Call]
    response: Response
    wide_key: Response | None = None


def _place(target: Target) -> Flow[_Placed]:
    """Place one call, with a key of unusual characters if Retell accepts it, otherwise with a plain one."""
    mark = secrets.token_hex(8)
    # The hook sends the request again if the response is lost, which places another call if Retell ignores the key.
    created = Creation("call_id", partial(marked, mark), hang_up, search=True)
    target.clean_up(created.undo_all, f"a call to --to-number {MAY_BE_LIVE}")
    wide = _request(target, mark, f"dag/run:task+{mark}.1")
    response = yield from created.send(wide)
    if response.status not in REJECTED:
        return _Placed(mark, created, wide, response)
    plain = _request(target, mark, f"airflow-{mark}")
    return _Placed(mark, created, plain, (yield from created.send(plain)), wide_key=response)


def _request(target: Target, mark: str, key: str) -> Request[Call]:
    return create_phone_call(
        target.values(FROM_NUMBER)[0],
        target.values(TO_NUMBER)[0],
        metadata={KEY: mark},
        idempotency_key=key,
    )


def place(
    target: Target, from_number: str, to_number: str, **more: Any
) -> Flow[tuple[Response, Request[Call]]]:
    """Try to place a call that Retell should reject, and stop it after the last check if Retell accepts it.

    :param more: other arguments of create-phone-call.
    """
    mark = secrets.token_hex(8)
    created = Creation("call_id", partial(marked, mark), hang_up)
    target.clean_up(created.undo_all, f"a call to a contact with a fictional number {MAY_BE_LIVE}")
    request = create_phone_call(from_number, to_number, metadata={KEY: mark}, **more)
    return (yield from created.send(request)), request


def hang_up(call_id: str) -> Flow[bool]:
    """Stop a call that is not over yet; return True if it is over."""
    call: Call = yield from ask(get_call(call_id))
    if call.has_ended:
        return True
    yield from see(stop_call(call_id))
    call = yield from ask(get_call(call_id))
    return call.has_ended


def marked(mark: str, **criteria: Any) -> Flow[list[str]]:
    """Return the ids of the calls with a mark in their metadata.

    :param criteria: conditions on the calls. Default: the mark.
    """
    leaf = {"type": "string", "op": "eq", "value": mark, "key": KEY}
    found: CallPage = yield from ask(list_calls(filter_criteria=criteria or {"metadata": [leaf]}, limit=10))
    # A server that ignores the filter lists the calls of others.
    return [call.call_id for call in found.items if (call.metadata or {}).get(KEY) == mark]


def _call(target: Target) -> Flow[tuple[_Placed, Call]]:
    """Return the call that was placed."""
    placed = yield from target.once(_place)
    return placed, result(placed.request, placed.response)


@CHECKS.add(
    "calls.place_returns_call",
    assumption="create-phone-call returns the call.",
    matters="CreatePhoneCallOperator returns the id of the call and stores it.",
    source=page("create-phone-call"),
    otherwise="The task fails although the phone rings.",
    flags=_PLACES,
)
def place_returns_call(target: Target) -> Flow[Finding]:
    """Place a call."""
    placed = yield from target.once(_place)
    if not is_success(placed.response):
        raise CannotTellError(f"create-phone-call: {describe(placed.response)}")
    body = fields_of(placed.response)
    wrong = [name for name in ("call_id", "call_status") if not isinstance(body.get(name), str)]
    if wrong:
        return differs(f"{placed.response.status} without {', '.join(wrong)}")
    return holds(f"{placed.response.status} with call_id")


@CHECKS.add(
    "calls.placed_call_is_listed",
    assumption="list-calls returns a new call immediately.",
    matters="Before a second attempt, CreatePhoneCallOperator searches for its call by metadata.",
    source=NOT_DOCUMENTED,
    question="Does list-calls return a new call immediately?",
    otherwise="Within an hour, the idempotency key prevents a second call.",
    flags=_PLACES,
    options=("lists_registered",),
)
def placed_call_is_listed(target: Target) -> Flow[Finding]:
    """Search for the call by its metadata."""
    placed, call = yield from _call(target)
    for number in range(1, TRIES + 1):
        if (yield from marked(placed.mark)) == [call.call_id]:
            if number == 1:
                return holds("at once", lists_registered=True)
            return differs(f"after {number} requests", handled=True, lists_registered=False)
    return differs(f"not in {TRIES} requests", handled=True, lists_registered=False)


@CHECKS.add(
    "calls.idempotency_key_is_honored",
    assumption="A repeated request with the same idempotency_key returns the first call.",
    matters="The hook sends a request for a call again if the response is lost.",
    source=page("create-phone-call"),
    question="Does Retell honor an idempotency key?",
    otherwise="A lost response can lead to a second call.",
    flags=_PLACES,
    options=("honors_idempotency_key",),
)
def idempotency_key_is_honored(target: Target) -> Flow[Finding]:
    """Send the request again."""
    placed, call = yield from _call(target)
    response = yield from placed.created.send(placed.request)
    if result(placed.request, response).call_id == call.call_id:
        return holds("the first call", honors_idempotency_key=True)
    return differs("another call", honors_idempotency_key=False)


@CHECKS.add(
    "calls.idempotency_key_alphabet",
    assumption="An idempotency_key can contain any characters.",
    matters="The hook accepts any key of up to 255 characters.",
    source=NOT_DOCUMENTED,
    question="Which characters can an idempotency key contain?",
    otherwise="Retell rejects some keys, but not those of the operators, which consist of letters, digits and `-`.",
    flags=_PLACES,
    options=("idempotency_key_pattern",),
)
def idempotency_key_alphabet(target: Target) -> Flow[Finding]:
    """Look at the response to a key with `/`, `:`, `+` and `.`."""
    placed = yield from target.once(_place)
    if not is_success(placed.response):
        raise CannotTellError(f"create-phone-call: {describe(placed.response)}")
    if placed.wide_key is None:
        return holds("a key with / : + .", idempotency_key_pattern=None)
    pattern = "[A-Za-z0-9_-]{5,255}"
    return differs(describe(placed.wide_key), handled=True, idempotency_key_pattern=pattern)


@CHECKS.add(
    "calls.stop_ends_call",
    assumption="stop-call succeeds, and the call ends.",
    matters="StopCallOperator and `stop_on_kill` hang up.",
    source=page("stop-call"),
    otherwise="The task fails, or the call continues.",
    flags=_PLACES,
)
def stop_ends_call(target: Target) -> Flow[Finding]:
    """Stop the call."""
    _, call = yield from _call(target)
    current: Call = yield from ask(get_call(call.call_id))
    if current.has_ended:
        raise CannotTellError("the call ended before it could be stopped")
    response = yield from see(stop_call(call.call_id))
    if not is_success(response):
        return differs(describe(response))
    for number in range(1, TRIES + 1):
        current = yield from ask(get_call(call.call_id))
        if current.has_ended:
            return holds(f"{response.status}, ended after {number} requests")
    return differs(f"{response.status}, not ended in {TRIES} requests")
