"""The parts of the contract: checks, their findings, and the flags that allow them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

Verdict = Literal["holds", "differs", "cannot tell", "skipped"]

Client = Literal["key", "wrong key", "no key", "restricted key", "hasty"]
"""The hook that runs a check. ``hasty`` neither keeps to the quota nor repeats a request."""

NOT_DOCUMENTED = "not documented"
SDK = "types of Retell's Python SDK"


def page(name: str) -> str:
    """Return the address of a page of Retell's API reference."""
    return f"https://docs.retellai.com/api-references/{name}"


@dataclass(frozen=True)
class Flag:
    """An option of the command line that allows checks to do more than read.

    :ivar option: its name, for example ``--call-id``.
    :ivar help: the permission that it gives.
    :ivar metavar: the name of its value, or ``""`` for a flag without a value.
    :ivar many: True if it may be repeated.
    """

    option: str
    help: str
    metavar: str = ""
    many: bool = False


WRITE = Flag("--write", "run checks that change something and then restore it")


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    :ivar verdict: ``holds``, ``differs``, ``cannot tell`` or ``skipped``.
    :ivar seen: status codes, field names and shapes that Retell's responses have; never values.
    :ivar handled: for ``differs``: True if the package is correct all the same.
    :ivar options: the options of the emulator that make it behave as seen.
    """

    verdict: Verdict
    seen: str
    handled: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def holds(seen: str, *, options: Mapping[str, Any] | None = None, **more: Any) -> Finding:
    """Return the finding of a check whose assumption is true.

    :param options: options of the emulator by name, also dotted ones.
    :param more: other options of the emulator.
    """
    return Finding("holds", seen, options={**(options or {}), **more})


def differs(
    seen: str, *, handled: bool = False, options: Mapping[str, Any] | None = None, **more: Any
) -> Finding:
    """Return the finding of a check whose assumption is wrong.

    :param handled: True if the package is correct all the same.
    :param options: options of the emulator by name, also dotted ones.
    :param more: other options of the emulator.
    """
    return Finding("differs", seen, handled, {**(options or {}), **more})


class DiffersError(Exception):
    """Raised by a flow whose response shows that the assumption is wrong. The message must not contain values."""


class CannotTellError(Exception):
    """Raised by a flow whose requests do not decide the question. The message must not contain values."""


class SkipError(Exception):
    """Raised by a flow that finds nothing to check. The message must not contain values."""


class NotYetError(CannotTellError):
    """Raised by a flow that has to wait. It runs again from its beginning after some seconds, up to a limit.

    :ivar seconds: the seconds to wait.
    """

    def __init__(self, reason: str, *, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True)
class Check:
    """An assumption about Retell, and the flow that checks it.

    :ivar name: the resource and the point, for example ``calls.metadata_replaced``.
    :ivar assumption: one sentence that is true or false.
    :ivar matters: the part of the package that relies on it.
    :ivar source: where the assumption comes from.
    :ivar otherwise: the behavior of the package if the assumption is wrong.
    :ivar flow: returns the flow.
    :ivar flags: the flags that allow it. Without any it only reads.
    :ivar question: the assumption as an open question, or ``""`` if Retell's documentation settles it.
    :ivar options: the options of the emulator that it speaks of.
    :ivar client: the hook that must run it.
    """

    name: str
    assumption: str
    matters: str
    source: str
    otherwise: str
    flow: Callable[[Target], Flow[Finding]]
    flags: tuple[Flag, ...] = ()
    question: str = ""
    options: tuple[str, ...] = ()
    client: Client = "key"


class Checks(list[Check]):
    """The checks of a module, in the order in which they run."""

    def add(self, name: str, **details: Any) -> Callable[[Any], Any]:
        """Return a decorator that adds a flow function as a check; see :class:`Check` for *details*."""

        def decorate(flow: Callable[[Target], Flow[Finding]]) -> Callable[[Target], Flow[Finding]]:
            self.append(Check(name=name, flow=flow, **details))
            return flow

        return decorate
