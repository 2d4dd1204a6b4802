"""The profiles of the property tests.

``gate`` tries the same examples on every run. ``nightly`` tries many more, with a new seed each night:
``HYPOTHESIS_PROFILE=nightly``.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_COMMON = {
    # The machine may be busy with other tests.
    "deadline": None,
    "suppress_health_check": [
        HealthCheck.too_slow,
        HealthCheck.differing_executors,
        # All examples of a test use its fixtures, for example one emulator.
        HealthCheck.function_scoped_fixture,
    ],
}

settings.register_profile("gate", derandomize=True, database=None, max_examples=60, **_COMMON)
settings.register_profile("nightly", max_examples=1000, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
