"""Everything that can go wrong between a task and Retell, as one tree.

::

    RetellError
    ├── RetellConfigError        the Airflow connection cannot be used as it is
    ├── RetellInputError         bad input; nothing was sent (also a ValueError)
    ├── RetellConnectionError    no complete answer came back
    │   └── RetellTimeoutError
    ├── RetellStatusError        Retell answered with an error status
    │   ├── BadRequestError          400
    │   ├── AuthenticationError      401
    │   ├── PaymentRequiredError     402
    │   ├── PermissionDeniedError    403
    │   ├── NotFoundError            404, and 422 where only an id was sent
    │   ├── UnprocessableError       422 otherwise
    │   ├── RateLimitError           429
    │   └── ServerError              5xx
    ├── RetellResponseError      a success whose body is not what the API documents
    ├── CallNotEndedError        the change needs a call that has ended
    ├── StorageConflictError     the change would loosen what Retell keeps of the call
    ├── WaitTimeoutError         what was waited for did not happen in time
    ├── WaitFailedError          waiting ended in an error that stays
    └── UpdateMismatchError      the call does not hold what was written

``error.permanent`` tells whether the same task run again could end differently: a task that meets a permanent
error fails at once instead of burning its retries.
"""

from __future__ import annotations

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "CallNotEndedError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "RetellConfigError",
    "RetellConnectionError",
    "RetellError",
    "RetellInputError",
    "RetellResponseError",
    "RetellStatusError",
    "RetellTimeoutError",
    "ServerError",
    "StorageConflictError",
    "UnprocessableError",
    "UpdateMismatchError",
    "WaitFailedError",
    "WaitTimeoutError",
]


class RetellError(Exception):
    """Base of every error that this package raises on purpose.

    :ivar permanent: True when trying the same thing again cannot help.
    """

    permanent = False


class RetellConfigError(RetellError):
    """The Airflow connection is missing a key, holds a masked one, or has a setting that cannot be used."""

    permanent = True


class RetellInputError(RetellError, ValueError):
    """The arguments cannot be sent, so nothing was. The message names the field, never its value.

    :ivar fault: the message without its last sentence, which says that nothing was sent.
    """

    permanent = True

    def __init__(self, fault: str) -> None:
        super().__init__(f"{fault}. Nothing was sent")
        self.fault = fault


class RetellConnectionError(RetellError):
    """No complete answer came back.

    :ivar kind: ``"dns"``, ``"refused"`` or ``"connect"`` (no connection within ``connect_timeout``): nothing was sent.
        ``"tls"``, ``"timeout"`` (no answer within ``timeout``) or ``"dropped"``: whether Retell acted is unknown.
    """

    def __init__(self, message: str, *, kind: str = "dropped") -> None:
        super().__init__(message)
        self.kind = kind


class RetellTimeoutError(RetellConnectionError):
    """Retell took longer than the connection's ``timeout`` or ``connect_timeout``."""

    def __init__(self, message: str, *, kind: str = "timeout") -> None:
        super().__init__(message, kind=kind)


class RetellStatusError(RetellError):
    """Retell answered with an error status. Permanent unless it is 408, 409, 425, 429 or 5xx.

    :ivar status: the HTTP status code.
    :ivar detail: Retell's own message with anything private masked, or ``""``.
    :ivar retry_after: seconds that the server asked to wait, if it did.
    """

    permanent = True

    def __init__(
        self, message: str, *, status: int, detail: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


class BadRequestError(RetellStatusError):
    """400: Retell refused the body or the state of the call forbids the change."""


class AuthenticationError(RetellStatusError):
    """401: the API key is wrong, revoked or missing."""


class PaymentRequiredError(RetellStatusError):
    """402: the organization's trial ended or its payment method failed."""


class PermissionDeniedError(RetellStatusError):
    """403: the key is valid but restricted."""


class NotFoundError(RetellStatusError):
    """The id does not exist in the organization of this API key."""


class UnprocessableError(RetellStatusError):
    """422 to a request with a body: an unknown id, or a change that Retell refuses."""


class RateLimitError(RetellStatusError):
    """429: the organization's quota for this route, or its room for concurrent calls, is used up."""

    permanent = False


class ServerError(RetellStatusError):
    """5xx: Retell failed."""

    permanent = False


class RetellResponseError(RetellError):
    """A success status came with a body that is not what the API documents."""


class CallNotEndedError(RetellError):
    """The call is still registered or ongoing, and the change is only accepted for calls that have ended."""


class StorageConflictError(RetellError):
    """The data storage setting would become less restrictive, which Retell refuses."""

    permanent = True


class WaitTimeoutError(RetellError):
    """A wait came to its deadline."""


class WaitFailedError(RetellError):
    """A wait ended in an error that would come again."""

    permanent = True


class UpdateMismatchError(RetellError):
    """Retell accepted an update, but the call that it returned does not hold what was asked.

    :ivar fields: the fields that differ, e.g. ``("metadata.tier", "data_storage_setting")``.
    """

    permanent = True

    def __init__(self, message: str, *, fields: tuple[str, ...]) -> None:
        super().__init__(message)
        self.fields = fields
