"""The links to a call's files: permanent ones, or signed ones that expire."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.calls.samples import FILES_URL
from airflow_provider_retell.emulator.calls.vocabulary import LINKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_retell.emulator.calls.vocabulary import Call
    from airflow_provider_retell.emulator.options import Options

PATH = "/call-files"
"""The start of the path of every file."""

SIGNED_SECONDS = 24 * 60 * 60.0
"""Seconds until a signed link expires, as Retell documents it for agents with ``opt_in_signed_url``."""


class Links:
    """Creates and checks links of one organization.

    :param owner: the name of the organization.
    :param options: the options for calls, with the clock that links expire by.
    :param secret: the key of the signatures.
    :ivar base_url: the URL of the server, or None if it does not run.
    """

    def __init__(self, owner: str, options: Options, secret: str) -> None:
        self._owner = owner
        self._options = options
        self._secret = secret.encode()
        self.base_url: str | None = None

    def fill(self, call: Call) -> None:
        """Replace the links of the sample data in *call* with links to this server.

        Links that a test has set, and those of a server that does not run, stay as they are.
        """
        if self.base_url is None:
            return
        signed = self._are_signed(call)
        for name in LINKS:
            value = call.get(name)
            if isinstance(value, str) and value.startswith(FILES_URL):
                call[name] = self._link(value, signed)

    def _are_signed(self, call: Call) -> bool:
        return self._options.links_expire or bool(call.get("opt_in_signed_url"))

    def _link(self, sample: str, signed: bool) -> str:
        path = f"{PATH}/{self._owner}{sample.removeprefix(FILES_URL)}"
        if signed:
            expires = str(self._options.clock.now_ms() + round(SIGNED_SECONDS * 1000))
            path += f"?Expires={expires}&Signature={self._sign(path, expires)}"
        return f"{self.base_url}{path}"

    def admits(self, call: Call, path: str, query: Mapping[str, str]) -> bool:
        """Return True if a link to a file of *call* is valid now."""
        if not self._are_signed(call):
            return True
        expires = query.get("Expires", "0")
        if not hmac.compare_digest(query.get("Signature", ""), self._sign(path, expires)):
            return False
        return self._options.clock.now_ms() < int(expires)

    def _sign(self, path: str, expires: str) -> str:
        return hmac.new(self._secret, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()
