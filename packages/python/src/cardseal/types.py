"""Types for annotations. Importing this module is never needed at run time, and the package itself does not."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, Union

from cardseal._codes import ErrorCode as ErrorCode

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
