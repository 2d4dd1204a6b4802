"""The checks of the contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.findings import Finding
    from airflow_provider_retell.contract.flags import Flag
    from airflow_provider_retell.contract.target import Target

Client = Literal["key", "wrong key", "no key", "restricted key", "hasty"]
"""The hook that runs a check. ``hasty`` neither keeps to the quota nor repeats a request."""

NOT_DOCUMENTED = "not documented"
SDK = "types of Retell's Python SDK"


def page(name: str) -> str:
    """Return the address of a page of Retell's API reference."""
    return f"https://docs.retellai.com/api-references/{name}"


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
        """Return a decorator that adds a flow function as a check; see :class:`Check` for *details*.

        Add a flow that several checks share with ``CHECKS.add(...)(flow)``.
        """

        def decorate(flow: Callable[[Target], Flow[Finding]]) -> Callable[[Target], Flow[Finding]]:
            self.append(Check(name=name, flow=flow, **details))
            return flow

        return decorate
