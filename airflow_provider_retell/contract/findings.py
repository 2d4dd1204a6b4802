"""The results of checks, and the errors that end them early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["holds", "differs", "cannot tell", "skipped"]


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
