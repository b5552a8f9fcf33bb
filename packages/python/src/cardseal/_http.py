"""The attempts of a call (SPEC.md, section 27), without I/O.

An adapter sends what ``Call.seal`` gives, reports what came back, and waits as long as it is told. Every adapter drives
this one loop, so that the rules are in one place.
"""

from __future__ import annotations

import os
import threading
import time

from cardseal._errors import EnvelopeError, OutcomeUnknownError
from cardseal._native import (
    CLOCK_CORRECTION_MAX_MILLIS,
    CLOCK_CORRECTION_PAUSE_MILLIS,
    RETRY_ATTEMPTS,
    RETRY_DEADLINE_MILLIS,
    Envelope,
    backoff_millis,
    correct_clock,
    endpoint_kind,
    normalize_path,
    opened_answer,
    should_retry,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from cardseal._errors import ApiError
    from cardseal._native import SealedRequest
    from cardseal.types import FailureClass, Payload, RetryDecision, Sent

    Reader = Callable[[Envelope, int, bytes, SealedRequest], tuple[Any, ApiError | None]]

DEADLINE_SECONDS = RETRY_DEADLINE_MILLIS / 1000
ATTEMPTS = RETRY_ATTEMPTS


class AttemptEvent:
    """What became of one attempt: for logs and metrics. It holds no payload, no key and no header.

    ``path`` is the normalised path; ``attempt`` counts from 1; ``status`` is the HTTP status, None without an answer.
    ``failure_class`` is None for a success; ``code`` the error's, if it has one. ``wait_seconds`` is the wait before
    the next attempt; None if there is none.
    """

    __slots__ = ("attempt", "code", "failure_class", "path", "status", "wait_seconds")

    def __init__(
        self,
        path: str,
        attempt: int,
        status: int | None,
        failure_class: FailureClass | None,
        code: str | None,
        wait_seconds: float | None,
    ) -> None:
        self.path = path
        self.attempt = attempt
        self.status = status
        self.failure_class = failure_class
        self.code = code
        self.wait_seconds = wait_seconds

    def __repr__(self) -> str:
        return (
            f"AttemptEvent(path={self.path!r}, attempt={self.attempt}, status={self.status}, "
            f"failure_class={self.failure_class!r}, code={self.code!r}, wait_seconds={self.wait_seconds})"
        )


class Answer:
    """An answer of the API as its caller sees it: ``content`` is what was sealed, or a plain error's own bytes."""

    __slots__ = ("content", "error", "is_opened", "status")

    def __init__(self, status: int, content: Any, error: ApiError | None, *, is_opened: bool) -> None:
        self.status = status
        self.content = content
        self.error = error
        self.is_opened = is_opened

    def headers(self, received: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Give the headers that came, without those that speak of the sealed body."""
        gone = {"content-length", "content-encoding", "transfer-encoding"}
        if not self.is_opened:
            return [(name, value) for name, value in received if name.lower() not in gone]
        kept = [(name, value) for name, value in received if name.lower() not in gone | {"content-type"}]
        return [*kept, ("Content-Type", "application/json")]


class Caller:
    """What the calls of an adapter have in common. Immutable, and safe to share by threads."""

    __slots__ = ("api_key", "attempts", "correct_clock", "deadline_seconds", "envelope", "on_attempt")

    def __init__(
        self,
        api_key: str,
        secret: str | Envelope,
        attempts: int,
        deadline_seconds: float,
        on_attempt: Callable[[AttemptEvent], object] | None,
        correct_clock: Callable[[float], object] | None,
    ) -> None:
        if attempts < 1:
            raise EnvelopeError("invalid_option", "`attempts` is out of range: use 1 or more")
        if not deadline_seconds >= 0:
            raise EnvelopeError("invalid_option", "`deadline_seconds` is out of range: use 0 or more")
        self.envelope = secret if isinstance(secret, Envelope) else Envelope(secret)
        self.api_key = api_key
        self.attempts = attempts
        self.deadline_seconds = deadline_seconds
        self.on_attempt = on_attempt
        self.correct_clock = correct_clock

    def begin(
        self, method: str, url: str, body: bytes | None, *, content_type: str | None, idempotency_key: str | None
    ) -> Call:
        """Begin the call that a request of an HTTP library asks for, if it is one of the API's."""
        if method != "POST":
            raise EnvelopeError("invalid_option", "the method is not POST: every endpoint takes POST alone")
        if "?" in url:
            raise EnvelopeError("invalid_option", "the URL has a query, which nothing seals: move it into the payload")
        if body and content_type and content_type.partition(";")[0].strip().lower() != "application/json":
            raise EnvelopeError("invalid_option", "the body is not application/json: hand the payload over as JSON")
        return Call(self, url, body or b"{}", idempotency_key, is_https=url.lower().startswith("https:"))

    def __repr__(self) -> str:
        return f"Caller(attempts={self.attempts}, deadline_seconds={self.deadline_seconds})"


class Call:
    """A call with all its attempts.

    ``seal``, then ``answered`` or ``failed``; these give the seconds to wait before ``seal`` is called again, or None
    when the call has ended: then ``result`` gives its answer or raises.
    """

    def __init__(
        self,
        caller: Caller,
        path: str,
        payload: Payload,
        idempotency_key: str | None,
        *,
        is_https: bool,
        default: Callable[[Any], object] | None = None,
        read: Reader = opened_answer,
    ) -> None:
        self.path = normalize_path(path)
        self._caller = caller
        self._payload = payload
        self._idempotency_key = idempotency_key
        self._is_https = is_https
        self._default = default
        self._read = read
        self._kind = endpoint_kind(path)
        self._started = time.monotonic()
        self._attempt = 0
        self._may_have_arrived = False
        self._request: SealedRequest | None = None
        self._answer: Answer | None = None
        self._failure: BaseException | None = None

    def seal(self) -> SealedRequest:
        """Give the next attempt, sealed anew. Raises EnvelopeError for what cannot be sealed."""
        self._answer = None
        try:
            self._request = self._caller.envelope.seal_request(
                self.path,
                self._payload,
                api_key=self._caller.api_key,
                idempotency_key=self._idempotency_key,
                default=self._default,
            )
        except Exception as error:
            failure = self._seen_by_the_caller(error, "transient")
            if failure is error:
                raise
            raise failure from error
        self._attempt += 1
        return self._request

    def answered(
        self, status: int, body: bytes, *, retry_after: str | None = None, date: str | None = None
    ) -> float | None:
        """Judge an answer: its body, of which no more than one byte over ``max_bytes`` need be read.

        ``retry_after`` and ``date`` are its headers of these names.
        """
        came = time.time()
        assert self._request is not None  # noqa: S101 - `seal` comes first
        self._may_have_arrived = True
        try:
            content, error = self._read(self._caller.envelope, status, body, self._request)
        except EnvelopeError as raised:
            failure_class: FailureClass = raised.failure_class or "transient"
            return self._judge(raised, failure_class, raised.code, "yes", status, retry_after)
        is_opened = error is None or error.encrypted
        self._answer = Answer(status, content if is_opened else body, error, is_opened=is_opened)
        if error is None:
            self._report(status, None, None, None)
            return None
        if error.failure_class == "reseal" and error.code == "timestamp_outside_window":
            self._correct_clock(date, came)
        return self._judge(error, error.failure_class, error.code, "yes", status, retry_after)

    def failed(self, error: BaseException, *, sent: Sent, is_last: bool = False) -> float | None:
        """Judge a failure of the transport; ``sent`` is "no" if it is certain that there was no connection."""
        self._may_have_arrived |= sent != "no"
        return self._judge(error, "transient", None, sent, None, None, is_last=is_last)

    def result(self) -> Answer:
        """Give the answer with which the call ended, an error of the API included; raise what is none."""
        if self._failure is not None:
            raise self._failure
        assert self._answer is not None  # noqa: S101 - `answered` or `failed` comes first
        return self._answer

    @property
    def max_bytes(self) -> int:
        """How many bytes of a body count; one more is too many."""
        return self._caller.envelope.max_bytes

    def _judge(
        self,
        error: BaseException,
        failure_class: FailureClass,
        code: str | None,
        sent: Sent,
        status: int | None,
        retry_after: str | None,
        *,
        is_last: bool = False,
    ) -> float | None:
        has_key = self._idempotency_key is not None
        decision = should_retry(self._kind, failure_class, code=code, sent=sent, has_key=has_key, attempt=self._attempt)
        wait = None if is_last else self._wait(decision, retry_after)
        self._report(status, failure_class, code, wait)
        if wait is None:
            failure = self._seen_by_the_caller(error, failure_class)
            is_redirect = status is not None and 300 <= status < 400  # HTTP stacks would follow one that they see
            if failure is not error or self._answer is None or is_redirect:
                self._failure = failure
        return wait

    def _wait(self, decision: RetryDecision, retry_after: str | None) -> float | None:
        if decision == "retry_now":
            wait = 0.0
        elif decision == "retry_after_backoff":
            random = int.from_bytes(os.urandom(4), "little")
            wait = max(backoff_millis(self._attempt, random) / 1000, _seconds_asked_for(retry_after))
        else:
            return None
        is_over = time.monotonic() - self._started + wait >= self._caller.deadline_seconds
        return None if is_over or self._attempt >= self._caller.attempts else wait

    def _seen_by_the_caller(self, error: BaseException, failure_class: FailureClass) -> BaseException:
        """Give the failure itself, or the unknown outcome that it leaves behind."""
        if self._kind == "read" or not self._may_have_arrived or failure_class not in ("transient", "reseal"):
            return error
        unknown = OutcomeUnknownError(self.path, self._idempotency_key, self._attempt)
        unknown.__cause__ = error
        return unknown

    def _correct_clock(self, date: str | None, came: float) -> None:
        """Take the server's word for the time, where that was asked for and nobody but the server can have said it."""
        listener = self._caller.correct_clock
        said = _seconds_of(date)
        if listener is None or not self._is_https or said is None:
            return
        offset = said + 0.5 - came  # a date counts whole seconds: on average half of one has gone by
        if CORRECTIONS.take_over(offset):
            _tell("correct_clock", listener, offset)

    def _report(
        self, status: int | None, failure_class: FailureClass | None, code: str | None, wait: float | None
    ) -> None:
        on_attempt = self._caller.on_attempt
        if on_attempt is not None:
            _tell("on_attempt", on_attempt, AttemptEvent(self.path, self._attempt, status, failure_class, code, wait))


class Corrections:
    """The corrections of the clock, which is the whole process's: one a minute, so that nobody can wind it up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: float | None = None

    def take_over(self, offset_seconds: float) -> bool:
        """Correct the clock by an offset from the system's, if it is not too far and not too soon."""
        now = time.monotonic()
        with self._lock:
            is_too_soon = self._last is not None and now - self._last < CLOCK_CORRECTION_PAUSE_MILLIS / 1000
            if is_too_soon or abs(offset_seconds) > CLOCK_CORRECTION_MAX_MILLIS / 1000:
                return False
            self._last = now
            correct_clock(round(offset_seconds * 1_000_000))
            return True

    def forget(self) -> None:
        """Go back to the system's clock, as a process begins with it."""
        with self._lock:
            self._last = None
            correct_clock(0)


CORRECTIONS = Corrections()


def _tell(name: str, listener: Callable[[Any], object], what: object) -> None:
    try:
        listener(what)
    except Exception:
        import logging

        # What it raises must not hide what became of the money.
        logging.getLogger("cardseal").exception("`%s` failed", name)


def _seconds_of(date: str | None) -> float | None:
    """Read the header Date, in its one form: `Sun, 06 Nov 1994 08:49:37 GMT`. None for anything else."""
    from email.utils import parsedate_to_datetime

    if date is None or len(date) != 29 or not date.endswith(" GMT"):
        return None
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _seconds_asked_for(retry_after: str | None) -> float:
    """Read the header Retry-After: whole seconds, or a date; 0 for anything else."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
