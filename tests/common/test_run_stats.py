"""Duration, requests and delays of a run."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from airflow_provider_retell.api.quota import Usage
from airflow_provider_retell.clock import Clock, no_waiting
from airflow_provider_retell.common.run_stats import SCHEMA_VERSION, RunStats


def test_the_manifest_has_the_counts_between_version_and_measurements() -> None:
    usage = Usage()
    with no_waiting() as fast:
        stats = RunStats(usage)
        usage.requests, usage.waited = 3, 4.0
        fast.sleep(10)
        manifest = stats.manifest(rows=2)
    assert list(manifest) == ["schema_version", "rows", "requests", "seconds", "waited_seconds"]
    assert manifest["schema_version"] == SCHEMA_VERSION == 1
    assert (manifest["rows"], manifest["requests"], manifest["waited_seconds"]) == (2, 3, 4.0)
    assert manifest["seconds"] == pytest.approx(10, abs=1)


def test_delays_that_have_not_passed_yet_do_not_count() -> None:
    usage = Usage()
    stats = RunStats(usage)
    usage.delay(0.0, 90.0)
    assert stats.waited_seconds < 10


def test_the_quota_never_delays_a_run_for_longer_than_it_lasts(mocker: Any) -> None:
    """Even if time passes while the manifest is made."""
    mocker.patch.object(Clock, "monotonic", side_effect=itertools.count())
    usage = Usage()
    stats = RunStats(usage)
    usage.delay(0.0, 90.0)
    manifest = stats.manifest()
    assert manifest["waited_seconds"] == manifest["seconds"]
