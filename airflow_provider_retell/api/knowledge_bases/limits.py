"""The limits of knowledge bases.

Retell documents the length of the name, the size of a file and the files of a request. The numbers of sources are
reports of third parties, so callers can set others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["text", "file"]

MAX_NAME_LENGTH = 39
MAX_FILE_BYTES = 50_000_000
"""Retell documents "50MB", taken as 50,000,000 bytes, the stricter of the two meanings."""
MAX_FILES_PER_REQUEST = 25

MAX_TEXTS = 50
MAX_FILES = 25
MAX_URLS = 500

DEFAULT_MIN_CHUNK_SIZE = 400
DEFAULT_MAX_CHUNK_SIZE = 2000

Limits = Mapping[Kind, int]
"""The largest number of sources in a knowledge base, by kind."""
