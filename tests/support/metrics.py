"""A backend for Airflow's metrics that keeps the counters."""

from __future__ import annotations

import contextlib
import functools
from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Counters:
    """The counters of a test.

    :ivar totals: the sum of each counter.
    :ivar tags: the tags of the last count.
    :ivar broken: True to fail on each count.
    """

    def __init__(self) -> None:
        self.totals: dict[str, float] = defaultdict(float)
        self.tags: dict[str, dict[str, str]] = {}
        self.broken = False

    def incr(self, stat: str, count: float = 1, rate: float = 1, *, tags: Any = None) -> None:
        if self.broken:
            raise OSError("no metrics server")
        self.totals[stat] += count
        self.tags[stat] = dict(tags or {})

    def __getattr__(self, _name: str) -> Any:
        # Airflow reads the duration of a timer after its block.
        return lambda *_args, **_kwargs: contextlib.nullcontext(SimpleNamespace(duration=0.0))

    def retell(self) -> dict[str, float]:
        """Return the counters of this package."""
        return {name: total for name, total in self.totals.items() if name.startswith("retell.")}


@contextlib.contextmanager
def counters() -> Iterator[Counters]:
    """Make a new :class:`Counters` the backend of Airflow's metrics, as its configuration would."""
    backend = Counters()
    try:
        from airflow.sdk.observability import stats
    except ImportError:  # before 3.2
        from airflow.stats import Stats

        before, Stats.instance = Stats.instance, backend
        try:
            yield backend
        finally:
            Stats.instance = before
        return
    if hasattr(stats, "initialize"):  # 3.3
        initialize = functools.partial(stats.initialize, export_legacy_names=True)
    else:
        initialize = stats.Stats.initialize
    initialize(factory=lambda: backend)
    try:
        yield backend
    finally:
        initialize(factory=Counters)  # Airflow cannot return to its former backend
