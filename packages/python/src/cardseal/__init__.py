"""The encrypted envelope of a card-issuing API: seals, opens and checks requests, responses and webhooks.

>>> from cardseal import Envelope
>>> envelope = Envelope("your_api_secret_key_here")
>>> body = envelope.seal({"card_id": "card_abc123"})  # the whole HTTP body: {"encrypted":"Au3…"}
>>> envelope.open(body)["card_id"]
'card_abc123'

A client seals with ``Envelope.seal_request`` and reads answers with ``Envelope.open_response``. A server reads requests
with ``Envelope.open_request``, claims their ``replay_keys``, and answers with ``Envelope.seal_response``. A webhook
receiver reads with ``Envelope.open_webhook``. ``Envelope.seal`` and ``Envelope.open`` are the plain pair beneath,
``Envelope.encrypt`` and ``Envelope.decrypt`` the bare field.

``Client`` makes whole calls; ``cardseal.requests``, ``cardseal.httpx`` and ``cardseal.aiohttp`` seal beneath those
libraries.

Every failure is an ``EnvelopeError`` or an ``ApiError`` with a stable ``code``. SPEC.md in the repository has
every rule.
"""

from cardseal._errors import ApiError, EnvelopeError, OutcomeUnknownError
from cardseal._native import (
    DEFAULT_MAX_BYTES,
    ENDPOINTS,
    ERROR_CODES,
    ERROR_SLUGS,
    REPLAY_TTL_MS,
    Begun,
    Envelope,
    MemoryIdempotencyStore,
    MemoryReplayStore,
    ReplayKeys,
    Request,
    SealedRequest,
    Webhook,
    __version__,
    canonical_json,
    claim_request,
    derive_idempotency_key,
    endpoint_kind,
    fingerprint,
    generate_idempotency_key,
    normalize_path,
    replay_keys,
    required_headers,
    should_retry,
    timestamp_micros,
    validate_payload,
)
from cardseal._statuses import (
    CardholderKycLevel,
    CardholderKycStatus,
    CardholderRegistrationStatus,
    CardIssueStatus,
    CardStatus,
    CardTopupStatus,
    OrderStatus,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cardseal._client import Client

__all__ = [
    "DEFAULT_MAX_BYTES",
    "ENDPOINTS",
    "ERROR_CODES",
    "ERROR_SLUGS",
    "REPLAY_TTL_MS",
    "ApiError",
    "Begun",
    "CardIssueStatus",
    "CardStatus",
    "CardTopupStatus",
    "CardholderKycLevel",
    "CardholderKycStatus",
    "CardholderRegistrationStatus",
    "Client",
    "Envelope",
    "EnvelopeError",
    "MemoryIdempotencyStore",
    "MemoryReplayStore",
    "OrderStatus",
    "OutcomeUnknownError",
    "ReplayKeys",
    "Request",
    "SealedRequest",
    "Webhook",
    "__version__",
    "canonical_json",
    "claim_request",
    "derive_idempotency_key",
    "endpoint_kind",
    "fingerprint",
    "generate_idempotency_key",
    "normalize_path",
    "replay_keys",
    "required_headers",
    "should_retry",
    "timestamp_micros",
    "validate_payload",
]


def __getattr__(name: str) -> object:
    """Find the one name that is imported when it is asked for, because http.client and ssl take their time."""
    if name == "Client":
        from cardseal._client import Client

        return Client
    raise AttributeError(f"module 'cardseal' has no attribute {name!r}")
