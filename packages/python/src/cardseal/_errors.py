"""The exceptions. Their codes are the contract; their messages may change in any release."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cardseal.types import ErrorCode, FailureClass, JsonValue


class EnvelopeError(ValueError):
    """Something about a body, a payload or an option breaks a rule of the protocol, or the host failed.

    ``code`` is stable and the same in every language; ``ERROR_CODES`` says what each means. ``message`` says what to
    do, and holds no secret and no plaintext. ``skew_micros`` is request clock minus server clock, for
    ``timestamp_outside_window`` alone. From ``open_response`` it also has ``status``, the HTTP status, and
    ``failure_class`` for ``should_retry``: after a success that cannot be believed the call may have been carried out.

    >>> from cardseal import Envelope, EnvelopeError
    >>> try:
    ...     Envelope("short")
    ... except EnvelopeError as error:
    ...     print(error.code, "-", error)
    invalid_key - the secret has 5 bytes: use at least 8 (invalid_key)
    """

    code: ErrorCode
    message: str
    status: int | None
    skew_micros: int | None
    failure_class: FailureClass | None

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        status: int | None = None,
        skew_micros: int | None = None,
        failure_class: FailureClass | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.skew_micros = skew_micros
        self.failure_class = failure_class

    def __str__(self) -> str:
        prefix = "" if self.status is None else f"http status {self.status}: "
        return f"{prefix}{self.message} ({self.code})"

    def __repr__(self) -> str:
        return f"EnvelopeError(code={self.code!r}, message={self.message!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), (self.code, self.message)), self.__dict__


class ApiError(Exception):
    """The API answered with an error.

    ``status`` is the HTTP status; ``slug`` the ``error_slug`` of a sealed error, or None; ``code`` the slug, or the
    constant of one of the eight plain texts (``duplicate_request`` for example), or None; ``message`` the API's text,
    at most 200 characters; ``failure_class`` what it says about trying again, for ``should_retry``; ``encrypted``
    whether it came sealed; ``payload`` what a sealed error holds.

    A plain error is nobody's word: never proof that no money moved.

    >>> from cardseal import ApiError, Envelope
    >>> envelope = Envelope("your_api_secret_key_here")
    >>> answer = {"success": False, "error": "Insufficient funds", "error_slug": "insufficient_funds"}
    >>> try:
    ...     envelope.open_response(403, envelope.seal_response(answer))
    ... except ApiError as error:
    ...     print(error.slug, error.failure_class, "-", error)
    insufficient_funds never - Insufficient funds (http status 403, insufficient_funds)
    """

    status: int
    slug: str | None
    code: str | None
    message: str
    failure_class: FailureClass
    encrypted: bool
    payload: JsonValue

    def __init__(
        self,
        message: str,
        *,
        status: int,
        slug: str | None = None,
        code: str | None = None,
        failure_class: FailureClass = "never",
        encrypted: bool = False,
        payload: JsonValue = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.slug = slug
        self.code = code
        self.failure_class = failure_class
        self.encrypted = encrypted
        self.payload = payload

    def __str__(self) -> str:
        code = "" if self.code is None else f", {_shown(self.code)}"
        return f"{self.message} (http status {self.status}{code})"

    def __repr__(self) -> str:
        return (
            f"ApiError(status={self.status}, code={self.code and _shown(self.code)!r}, message={self.message!r}, "
            f"failure_class={self.failure_class!r}, encrypted={self.encrypted})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), (self.message,)), self.__dict__


class OutcomeUnknownError(Exception):
    """Nobody can tell whether a call was carried out: money may have moved.

    The adapters and the Client raise it after the last attempt. ``path`` is the normalised path, ``idempotency_key``
    what the call carried, or None; ``attempts`` how often it was sent; ``__cause__`` the last failure. ``code`` is
    ``outcome_unknown``, always.

    What to do: ask ``/orders/check``; or, on ``/cards/create`` and ``/cards/topup``, call again with the same key,
    which charges once however often it is sent.

    >>> from cardseal import OutcomeUnknownError
    >>> error = OutcomeUnknownError("/api/v1/cards/topup", "invoice-42", 8)
    >>> str(error)[:60]
    '/api/v1/cards/topup has an unknown outcome after 8 attempts:'
    """

    code = "outcome_unknown"
    path: str
    idempotency_key: str | None
    attempts: int

    def __init__(self, path: str, idempotency_key: str | None, attempts: int) -> None:
        super().__init__(path)
        self.path = path
        self.idempotency_key = idempotency_key
        self.attempts = attempts

    def __str__(self) -> str:
        from cardseal._native import ENDPOINTS  # which imports this module itself

        attempts = "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"
        advice = "find out what became of it before you call again (orders: /orders/check)"
        if ENDPOINTS.get(self.path) == "keyed":
            advice = "ask /orders/check, or call again with the same idempotency key"
        return f"{self.path} has an unknown outcome after {attempts}: {advice} ({self.code})"

    def __repr__(self) -> str:
        key = self.idempotency_key
        return f"OutcomeUnknownError(path={self.path!r}, idempotency_key={key!r}, attempts={self.attempts})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), (self.path,)), self.__dict__


def _shown(code: str) -> str:
    """Give a code as it stands in a message: one that no API would give is quoted and cut."""
    is_plain = len(code) <= 64 and code.isascii() and code.replace("_", "a").isalnum()
    return code if is_plain else repr(code[:40])


def _rebuilt(kind: type[BaseException], args: tuple[object, ...]) -> BaseException:
    """Make an exception without its constructor; what it holds follows as its state."""
    error = kind.__new__(kind)
    error.args = args[-1:]
    return error
