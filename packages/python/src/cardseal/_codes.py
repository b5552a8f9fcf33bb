"""The error codes. Generated from core/data by `cargo xtask codegen`: do not edit."""

from typing import Literal, TypeAlias

ErrorCode: TypeAlias = Literal[
    "invalid_key",
    "invalid_json",
    "envelope_not_found",
    "invalid_envelope",
    "unsupported_version",
    "decryption_failed",
    "invalid_payload",
    "already_sealed",
    "timestamp_not_found",
    "invalid_timestamp",
    "timestamp_outside_window",
    "duplicate_request",
    "idempotency_key_required",
    "invalid_idempotency_key",
    "invalid_option",
    "invalid_path",
    "invalid_api_key",
    "too_large",
    "reflected_response",
    "replay_store_unavailable",
    "entropy_unavailable",
    "clock_unavailable",
]
"""Every code that an EnvelopeError can carry."""
