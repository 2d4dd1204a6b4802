"""The length of the soak tests."""

from __future__ import annotations

import os

SECONDS = float(os.environ.get("RETELL_SOAK_SECONDS", "20"))
"""About how long each soak test runs. ``make soak`` sets it."""
