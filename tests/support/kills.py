"""How often the tests that kill a task at random times do so."""

from __future__ import annotations

import os

KILLS = int(os.environ.get("RETELL_KILLS", "10"))
"""The nightly workflow sets it to 50."""
