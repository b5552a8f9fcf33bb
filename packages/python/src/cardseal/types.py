"""Types for annotations. Importing this module is never needed at run time, and the package itself does not."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, Union

from cardseal._codes import ErrorCode as ErrorCode
from cardseal._native import Begun

JsonValue: TypeAlias = Union[bool, int, float, str, "list[JsonValue]", "dict[str, JsonValue]", None]
"""What an opened body holds."""

Body: TypeAlias = str | bytes | bytearray | memoryview | Mapping[str, object]
"""A sealed HTTP body: as it came, or parsed already, with ``encrypted`` in it."""


class Dataclass(Protocol):
    """An object of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Payload: TypeAlias = Mapping[str, object] | Dataclass | str | bytes | bytearray | memoryview
"""What is sealed: a mapping, a dataclass, or JSON text. ``default`` decides about everything inside."""

Layout: TypeAlias = Literal["versioned", "bare"]
"""What stands before the nonce: the version byte 0x02, or nothing."""

EndpointKind: TypeAlias = Literal["read", "keyed", "unsafe"]
"""What repeating a call does."""

FailureClass: TypeAlias = Literal["never", "reseal", "transient", "later"]
"""What a failure says about trying again."""

Sent: TypeAlias = Literal["no", "yes", "unknown"]
"""Whether a failed attempt reached the server."""

RetryDecision: TypeAlias = Literal["retry_now", "retry_after_backoff", "stop", "outcome_unknown"]
"""What to do after a failed attempt."""


class ReplayStore(Protocol):
    """Remembers which keys have been claimed."""

    def claim(self, key: str, ttl_ms: int, /) -> bool:
        """Claim a key for so many milliseconds, atomically; true means that nobody had it."""
        ...


class AsyncReplayStore(Protocol):
    """The same, awaited."""

    def claim(self, key: str, ttl_ms: int, /) -> Awaitable[bool]:
        """Claim a key for so many milliseconds, atomically; true means that nobody had it."""
        ...


WebhookState: TypeAlias = Literal["new", "busy", "handled"]
"""Where a webhook stands when another delivery of it begins."""


class WebhookStore(Protocol):
    """Remembers which webhooks have been handled, by their ``dedupe_key``."""

    def begin(self, dedupe_key: str, /) -> WebhookState:
        """Take a webhook up, for a limited time; tell the state that another delivery of it has left."""
        ...

    def finish(self, dedupe_key: str, /) -> object:
        """Remember that a webhook has been handled."""
        ...

    def give_back(self, dedupe_key: str, /) -> object:
        """Forget a webhook whose handler failed."""
        ...


class AsyncWebhookStore(Protocol):
    """The same, awaited."""

    def begin(self, dedupe_key: str, /) -> Awaitable[WebhookState]:
        """Take a webhook up, for a limited time; tell the state that another delivery of it has left."""
        ...

    def finish(self, dedupe_key: str, /) -> Awaitable[object]:
        """Remember that a webhook has been handled."""
        ...

    def give_back(self, dedupe_key: str, /) -> Awaitable[object]:
        """Forget a webhook whose handler failed."""
        ...


BegunState: TypeAlias = Literal["new", "replay", "in_progress", "conflict", "outcome_unknown"]
"""What a request finds that begins under its idempotency key."""


class IdempotencyStore(Protocol):
    """Remembers what became of the request that came first under an idempotency key."""

    def begin(self, api_key: str, idempotency_key: str, fingerprint: str, /, *, lease_ms: int = ...) -> Begun:
        """Begin a request, atomically, or say what is known of it."""
        ...

    def take_over(self, api_key: str, idempotency_key: str, fingerprint: str, /, *, lease_ms: int = ...) -> Begun:
        """Begin a request also where a lease ended without an answer."""
        ...

    def complete(self, token: str, status: int, body: str | bytes, /) -> bool:
        """Store the answer; false if the token is not the record's any more, or another answer is there already."""
        ...

    def give_back(self, token: str, /) -> bool:
        """Say that nothing was done; false as with ``complete``."""
        ...


class AsyncIdempotencyStore(Protocol):
    """The same, awaited."""

    def begin(
        self, api_key: str, idempotency_key: str, fingerprint: str, /, *, lease_ms: int = ...
    ) -> Awaitable[Begun]:
        """Begin a request, atomically, or say what is known of it."""
        ...

    def take_over(
        self, api_key: str, idempotency_key: str, fingerprint: str, /, *, lease_ms: int = ...
    ) -> Awaitable[Begun]:
        """Begin a request also where a lease ended without an answer."""
        ...

    def complete(self, token: str, status: int, body: str | bytes, /) -> Awaitable[bool]:
        """Store the answer; false if the token is not the record's any more, or another answer is there already."""
        ...

    def give_back(self, token: str, /) -> Awaitable[bool]:
        """Say that nothing was done; false as with ``complete``."""
        ...
