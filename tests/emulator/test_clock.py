"""The emulator's clock."""

from __future__ import annotations

import time

import pytest

from airflow_provider_retell.emulator import Clock


def test_the_clock_runs_at_its_speed() -> None:
    clock = Clock(speed=1000, start=0)
    time.sleep(0.02)
    assert clock.now() >= 20


def test_a_frozen_clock_keeps_its_time_until_it_resumes() -> None:
    clock = Clock(speed=1000, start=0)
    clock.freeze()
    frozen_at = clock.now()
    time.sleep(0.005)
    assert clock.now() == frozen_at
    clock.resume()
    time.sleep(0.005)
    assert clock.now() >= frozen_at + 5


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_the_clock_only_moves_forward(seconds: float) -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(seconds)


def test_the_speed_must_be_above_0() -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(speed=0)


def test_a_fresh_clock_starts_again_with_the_same_settings() -> None:
    clock = Clock(speed=5, frozen=True, start=100)
    clock.advance(60)
    clock.resume()
    fresh = clock.fresh()
    assert (fresh.now(), fresh.speed, fresh.frozen) == (100, 5, True)
