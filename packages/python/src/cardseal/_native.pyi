from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any, Final, SupportsIndex, final

from cardseal._errors import ApiError
from cardseal.types import (
    BegunState,
    Body,
    EndpointKind,
    FailureClass,
    Layout,
    Payload,
    ReplayStore,
    RetryDecision,
    Sent,
)

__all__ = [
    "CLOCK_CORRECTION_MAX_MILLIS",
    "CLOCK_CORRECTION_PAUSE_MILLIS",
    "DEFAULT_MAX_BYTES",
    "ENDPOINTS",
    "ERROR_CODES",
    "ERROR_SLUGS",
    "IDEMPOTENCY_LEASE_MILLIS",
    "IDEMPOTENCY_MAX_RECORDS",
    "IDEMPOTENCY_SCRIPT",
    "IDEMPOTENCY_TTL_MILLIS",
    "REPLAY_TTL_MS",
    "RETRY_ATTEMPTS",
    "RETRY_DEADLINE_MILLIS",
    "WEBHOOK_LEASE_MILLIS",
    "WEBHOOK_TTL_MILLIS",
    "Begun",
    "Envelope",
    "MemoryIdempotencyStore",
    "MemoryReplayStore",
    "ReplayKeys",
    "Request",
    "SealedRequest",
    "Webhook",
    "__version__",
    "backoff_millis",
    "can_become",
    "canonical_json",
    "check_record",
    "claim_request",
    "correct_clock",
    "derive_idempotency_key",
    "endpoint_kind",
    "fingerprint",
    "generate_idempotency_key",
    "is_terminal",
    "normalize_path",
    "opened_answer",
    "opened_request",
    "record_key",
    "recorded_body",
    "replay_keys",
    "required_headers",
    "server_answer",
    "should_retry",
    "timestamp_micros",
    "token_parts",
    "validate_payload",
]

__version__: Final[str]

REPLAY_TTL_MS: Final[int]
RETRY_ATTEMPTS: Final[int]
WEBHOOK_LEASE_MILLIS: Final[int]
WEBHOOK_TTL_MILLIS: Final[int]
RETRY_DEADLINE_MILLIS: Final[int]
IDEMPOTENCY_LEASE_MILLIS: Final[int]
IDEMPOTENCY_TTL_MILLIS: Final[int]
IDEMPOTENCY_MAX_RECORDS: Final[int]
IDEMPOTENCY_SCRIPT: Final[str]
CLOCK_CORRECTION_MAX_MILLIS: Final[int]
CLOCK_CORRECTION_PAUSE_MILLIS: Final[int]
DEFAULT_MAX_BYTES: Final[int]
ERROR_CODES: Final[MappingProxyType[str, str]]
ERROR_SLUGS: Final[MappingProxyType[str, int]]
ENDPOINTS: Final[MappingProxyType[str, EndpointKind]]

@final
class Envelope:
    def __new__(
        cls,
        secret: str,
        *,
        layout: Layout = "versioned",
        open_secrets: list[str] | tuple[str, ...] = (),
        max_bytes: int = 10485760,
    ) -> Envelope: ...
    @classmethod
    def from_key(
        cls,
        key: bytes,
        *,
        layout: Layout = "versioned",
        open_keys: list[bytes] | tuple[bytes, ...] = (),
        max_bytes: int = 10485760,
    ) -> Envelope: ...
    @property
    def layout(self) -> Layout: ...
    @property
    def max_bytes(self) -> int: ...
    def seal(self, payload: Payload, *, default: Callable[[Any], object] | None = None) -> str: ...
    def seal_request(
        self,
        path: str,
        payload: Payload,
        *,
        api_key: str,
        idempotency_key: str | None = None,
        default: Callable[[Any], object] | None = None,
    ) -> SealedRequest: ...
    def seal_response(self, payload: object, *, default: Callable[[Any], object] | None = None) -> str: ...
    def seal_webhook(self, payload: Payload, *, default: Callable[[Any], object] | None = None) -> str: ...
    def open(self, body: Body) -> Any: ...
    def open_request(self, body: Body, *, now_micros: int | None = None, window_seconds: int = 30) -> Request: ...
    def open_response(self, status: int, body: Body, *, request: SealedRequest | str | bytes | None = None) -> Any: ...
    def open_webhook(self, body: Body) -> Webhook: ...
    def encrypt(self, message: str | bytes | bytearray | memoryview) -> str: ...
    def decrypt(self, field: str) -> bytes: ...
    def __reduce_ex__(self, _protocol: SupportsIndex) -> Any: ...

@final
class Request:
    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def timestamp_micros(self) -> int: ...
    @property
    def nonce(self) -> bytes: ...
    @property
    def key_index(self) -> int: ...

@final
class SealedRequest:
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def timestamp_micros(self) -> int: ...
    @property
    def nonce(self) -> bytes: ...
    @property
    def idempotency_key(self) -> str | None: ...

@final
class Webhook:
    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def type(self) -> str | None: ...
    @property
    def timestamp(self) -> Any: ...
    @property
    def delivery_id(self) -> str | None: ...
    @property
    def dedupe_key(self) -> str: ...
    @property
    def key_index(self) -> int: ...

@final
class ReplayKeys:
    @property
    def timestamp(self) -> str: ...
    @property
    def nonce(self) -> str: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class MemoryReplayStore:
    def __new__(cls, max_keys: int = 1048576) -> MemoryReplayStore: ...
    def claim(self, key: str, ttl_ms: int, *, now_ms: int | None = None) -> bool: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...

@final
class Begun:
    def __new__(
        cls,
        state: BegunState,
        *,
        token: str | None = None,
        status: int | None = None,
        body: str | bytes | bytearray | memoryview | None = None,
    ) -> Begun: ...
    @property
    def state(self) -> BegunState: ...
    @property
    def token(self) -> str | None: ...
    @property
    def status(self) -> int | None: ...
    @property
    def body(self) -> bytes | None: ...

@final
class MemoryIdempotencyStore:
    def __new__(cls, max_records: int = 65536) -> MemoryIdempotencyStore: ...
    def begin(
        self,
        api_key: str,
        idempotency_key: str,
        fingerprint: str,
        *,
        lease_ms: int = 60000,
        now_ms: int | None = None,
    ) -> Begun: ...
    def take_over(
        self,
        api_key: str,
        idempotency_key: str,
        fingerprint: str,
        *,
        lease_ms: int = 60000,
        now_ms: int | None = None,
    ) -> Begun: ...
    def complete(
        self, token: str, status: int, body: str | bytes | bytearray | memoryview, *, now_ms: int | None = None
    ) -> bool: ...
    def give_back(self, token: str, *, now_ms: int | None = None) -> bool: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...

def timestamp_micros() -> int: ...
def correct_clock(offset_micros: int) -> None: ...
def generate_idempotency_key() -> str: ...
def derive_idempotency_key(namespace: str, id: str) -> str: ...
def validate_payload(payload: Payload) -> int | None: ...
def replay_keys(api_key: str, path: str, request: Request) -> ReplayKeys: ...
def claim_request(store: ReplayStore, keys: ReplayKeys) -> None: ...
def record_key(api_key: str, key: str) -> str: ...
def check_record(fingerprint: str, lease_ms: int) -> None: ...
def token_parts(token: str) -> tuple[str, int]: ...
def recorded_body(status: int, body: str | bytes | bytearray | memoryview) -> bytes: ...
def normalize_path(path: str) -> str: ...
def endpoint_kind(path: str) -> EndpointKind: ...
def required_headers(path: str) -> list[str]: ...
def fingerprint(path: str, payload: Payload) -> str: ...
def canonical_json(payload: Payload) -> str: ...
def should_retry(
    kind: EndpointKind,
    failure_class: FailureClass,
    *,
    code: str | None = None,
    sent: Sent = "unknown",
    has_key: bool = False,
    attempt: int = 1,
) -> RetryDecision: ...
def can_become(model: str, status: str, next: str) -> bool: ...
def is_terminal(model: str, status: str) -> bool: ...
def opened_answer(
    envelope: Envelope, status: int, body: bytes, request: SealedRequest
) -> tuple[bytes | None, ApiError | None]: ...
def opened_request(envelope: Envelope, body: Body) -> tuple[Request, bytes]: ...
def server_answer(code: str) -> tuple[int, str] | None: ...
def backoff_millis(attempt: int, random: int) -> int: ...
