"""The exceptions of this package.

::

    RetellError
    ├── RetellConfigError        the Airflow connection cannot be used as it is
    ├── RetellInputError         invalid input; nothing was sent (also a ValueError)
    ├── RetellConnectionError    no complete response arrived
    │   └── RetellTimeoutError
    ├── RetellStatusError        Retell responded with an error status
    │   ├── BadRequestError          400
    │   │   └── DoNotCallError           the contact is marked as do-not-call
    │   ├── AuthenticationError      401
    │   ├── PaymentRequiredError     402
    │   ├── PermissionDeniedError    403
    │   ├── NotFoundError            404, and 422 for an unknown id
    │   ├── UnprocessableError       422 otherwise
    │   ├── RateLimitError           429
    │   └── ServerError              5xx
    ├── RetellResponseError      a success status with a body that the API does not document
    ├── CallNotEndedError        the change requires a call that has ended
    ├── StorageConflictError     the change would loosen the call's data storage setting
    ├── WaitTimeoutError         a wait reached its deadline
    ├── WaitFailedError          a wait met an error that would occur again
    ├── AgentVersionError        the versions of an agent do not allow the step
    ├── SimulationFailedError    too few simulation tests passed
    ├── DriftError               the configuration of agents differs from a snapshot
    ├── UpdateMismatchError      the object does not have the values that were sent
    └── DocumentsFailedError     Retell could not index documents of a knowledge base

``error.permanent`` is True if a retry cannot succeed. A task that meets a permanent error fails at once, without using
up its retries. ``error.not_processed`` is True if Retell certainly did not act on the request. Then even a request that
must not run twice can be sent again.
"""

from __future__ import annotations

__all__ = [
    "AgentVersionError",
    "AuthenticationError",
    "BadRequestError",
    "CallNotEndedError",
    "DoNotCallError",
    "DocumentsFailedError",
    "DriftError",
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
    "SimulationFailedError",
    "StorageConflictError",
    "UnprocessableError",
    "UpdateMismatchError",
    "WaitFailedError",
    "WaitTimeoutError",
]


RESEND = "set on_clear='resend' on the task in the DAG file, then clear the task"
"""The next step if a task must send a request again that it sends at most once."""


class RetellError(Exception):
    """Base class of the exceptions of this package.

    :ivar permanent: True if a retry cannot succeed.
    :ivar fault: the message without the next step.
    :ivar attempt_lost: True if Retell may have processed an earlier attempt of the same request.
    """

    permanent = False
    attempt_lost = False
    _nothing_sent = False

    def __init__(self, message: str = "", *, fault: str = "") -> None:
        super().__init__(message)
        self.fault = fault or message.rstrip(".")

    @property
    def not_processed(self) -> bool:
        """True if Retell certainly did not act on the request."""
        return self._nothing_sent


class RetellConfigError(RetellError):
    """The Airflow connection has no usable API key, or an invalid setting. Nothing was sent."""

    permanent = True
    _nothing_sent = True


class RetellInputError(RetellError, ValueError):
    """The input is invalid, so nothing was sent. The message names the field and never has its value.

    :ivar fault: the message without its last sentence, "Nothing was sent".
    """

    permanent = True
    _nothing_sent = True

    def __init__(self, fault: str) -> None:
        super().__init__(f"{fault}. Nothing was sent", fault=fault)


class RetellConnectionError(RetellError):
    """No complete response arrived.

    :ivar kind: ``"dns"``, ``"refused"`` or ``"connect"`` (no connection within ``connect_timeout``): nothing was sent.
        ``"tls"``, ``"timeout"`` (no response within ``timeout``) or ``"dropped"``: it is unknown whether Retell
        processed the request.
    """

    def __init__(self, message: str, *, kind: str = "dropped", fault: str = "") -> None:
        super().__init__(message, fault=fault)
        self.kind = kind

    @property
    def not_processed(self) -> bool:
        """True if no connection was established, and no earlier attempt may have been processed."""
        return self.kind in ("dns", "refused", "connect") and not self.attempt_lost


class RetellTimeoutError(RetellConnectionError):
    """The connection's ``timeout`` or ``connect_timeout`` expired."""

    def __init__(self, message: str, *, kind: str = "timeout", fault: str = "") -> None:
        super().__init__(message, kind=kind, fault=fault)


class RetellStatusError(RetellError):
    """Retell responded with an error status. Permanent unless the status is 408, 409, 425, 429 or 5xx.

    If the response is not JSON, another server has sent it. The error is then of this class, except for 401, 429 and
    5xx, and 403 is not permanent.

    :ivar status: the HTTP status code.
    :ivar detail: Retell's own message with private data masked, or ``""``.
    :ivar retry_after: seconds that the server asked to wait, a day at most, or None.
    :ivar foreign: True if the response is not JSON.
    """

    permanent = True

    def __init__(
        self,
        message: str,
        *,
        status: int,
        detail: str = "",
        retry_after: float | None = None,
        foreign: bool = False,
        fault: str = "",
    ) -> None:
        super().__init__(message, fault=fault)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.foreign = foreign

    @property
    def not_processed(self) -> bool:
        """False if Retell may have processed the request: the status is 408, 5xx, or 403 without JSON.

        Also False if Retell may have processed an earlier attempt.
        """
        # A proxy may block the response.
        is_blocked = self.foreign and self.status == 403
        return self.status < 500 and self.status != 408 and not is_blocked and not self.attempt_lost


class BadRequestError(RetellStatusError):
    """400: Retell rejected the body, or the state of the call does not allow the change."""


class DoNotCallError(BadRequestError):
    """400 to a request with ``honor_internal_dnc``: the contact is marked as do-not-call, and was not called."""


class AuthenticationError(RetellStatusError):
    """401: the API key is wrong, revoked or missing."""


class PaymentRequiredError(RetellStatusError):
    """402: the organization's balance is exhausted, its trial has ended, or its payment method failed."""


class PermissionDeniedError(RetellStatusError):
    """403: the API key is valid, but lacks the permission for this request."""


class NotFoundError(RetellStatusError):
    """404, or 422 for an unknown id: the API key's organization has no object with this id."""


class UnprocessableError(RetellStatusError):
    """422 to a request with a body: Retell rejects the change, or the id is unknown."""


class RateLimitError(RetellStatusError):
    """429: the organization's quota for this route, or its concurrency limit, is used up."""

    permanent = False


class ServerError(RetellStatusError):
    """5xx: an error on Retell's side."""

    permanent = False


class RetellResponseError(RetellError):
    """The status is a success, but the body is not as Retell documents it."""


class CallNotEndedError(RetellError):
    """The call is still registered or ongoing, and Retell accepts the change only after its end."""


class StorageConflictError(RetellError):
    """The data storage setting would become less restrictive, which Retell rejects."""

    permanent = True


class WaitTimeoutError(RetellError):
    """A wait reached its deadline."""


class WaitFailedError(RetellError):
    """A wait met an error that would occur again."""

    permanent = True


class AgentVersionError(RetellError):
    """The versions of an agent do not allow the step, for example because a draft has changes made by hand."""

    permanent = True


class SimulationFailedError(RetellError):
    """Too few simulation tests passed, or their verdicts do not hold for the present version of the agent.

    :ivar failed: the names of the tests that did not pass.
    """

    permanent = True

    def __init__(self, message: str, *, failed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.failed = failed


class DriftError(RetellError):
    """The configuration of agents differs from a snapshot. The message has names, no values."""

    permanent = True


class UpdateMismatchError(RetellError):
    """Retell accepted an update, but the object in its response does not have the values that were sent.

    :ivar fields: the fields that differ, for example ``("metadata.tier", "data_storage_setting")``.
    """

    permanent = True

    def __init__(self, message: str, *, fields: tuple[str, ...]) -> None:
        super().__init__(message)
        self.fields = fields


class DocumentsFailedError(RetellError):
    """Retell could not index documents of a knowledge base.

    Their old versions are still there, except those that the message names.

    :ivar titles: the titles of the documents.
    """

    def __init__(self, message: str, *, titles: tuple[str, ...]) -> None:
        super().__init__(message)
        self.titles = titles
