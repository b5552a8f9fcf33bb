"""The protocol's tables, typed in a second time from the documents: SPEC sections 19 and 23 to 25."""

from __future__ import annotations

PLAIN_ERRORS: dict[str, tuple[int, str]] = {
    "API key not found": (404, "api_key_not_found"),
    "You do not have access to this API.": (403, "access_denied"),
    "Encrypted payload not found": (400, "envelope_not_found"),
    "Invalid encrypted payload format": (400, "invalid_envelope"),
    "Request timestamp not found in encrypted payload": (400, "timestamp_not_found"),
    "Invalid timestamp format": (400, "invalid_timestamp"),
    "Request timestamp outside allowed window": (400, "timestamp_outside_window"),
    "Duplicate request detected": (400, "duplicate_request"),
}

ERROR_SLUGS: dict[str, int] = {
    "invalid_request": 400,
    "invalid_amount": 400,
    "idempotency_key_required": 400,
    "insufficient_funds": 403,
    "user_not_found": 404,
    "card_not_found": 404,
    "cardholder_not_found": 404,
    "order_not_found": 404,
    "external_user_id_exists": 409,
    "cardholder_already_exists": 409,
    "card_not_active": 422,
    "card_user_mismatch": 422,
    "internal_error": 500,
    "provider_error": 502,
    "topup_attempts_exceeded": 503,
    "project_not_found": 404,
    "wallet_not_found": 404,
    "project_wallet_failed": 502,
    "project_balance_failed": 502,
    "external_user_id_required": 400,
    "product_not_found": 404,
    "product_not_active": 422,
    "amount_below_minimum": 400,
    "amount_above_maximum": 400,
    "currency_mismatch": 422,
    "invalid_pricing": 422,
    "invalid_card_id": 400,
    "card_issue_not_completed": 422,
    "invalid_card_status": 422,
    "provider_invalid_card_status": 422,
    "invalid_subprovider_id": 400,
    "decryption_failed": 400,
    "api_key_not_found": 404,
    "api_key_invalid": 403,
    "project_user_id_or_external_user_id_required": 400,
    "invalid_project_user_id": 400,
    "project_user_not_found": 404,
}

ENDPOINTS: dict[str, str] = {
    "/api/v1/project/wallet/trc20": "read",
    "/api/v1/project/balance": "read",
    "/api/v1/users/create": "unsafe",
    "/api/v1/cards/products": "read",
    "/api/v1/cardholders/create": "unsafe",
    "/api/v1/cards/create": "keyed",
    "/api/v1/cards/get": "read",
    "/api/v1/cards/topup": "keyed",
    "/api/v1/cards/freeze": "unsafe",
    "/api/v1/cards/unfreeze": "unsafe",
    "/api/v1/orders/check": "read",
    "/api/v1/wh/subscribe": "unsafe",
    "/api/v1/wh/unsubscribe": "unsafe",
    "/api/v1/wh/subscriptions": "read",
}
KEY_REQUIRED = frozenset({"/api/v1/cards/create", "/api/v1/cards/topup"})

MACHINES: dict[str, dict[str, list[str]]] = {
    "OrderStatus": {
        "new": ["activating", "processing", "failed"],
        "activating": ["completed", "failed"],
        "processing": ["completed", "failed"],
        "completed": [],
        "failed": [],
        "paid": [],
    },
    "CardIssueStatus": {
        "card_create_pending": ["card_create_done", "card_create_error"],
        "card_create_error": ["card_create_pending", "card_create_done"],
        "card_create_done": ["initial_topup_pending", "initial_topup_skipped"],
        "initial_topup_skipped": [],
        "initial_topup_pending": ["initial_topup_in_progress", "initial_topup_error"],
        "initial_topup_error": ["initial_topup_pending", "initial_topup_in_progress"],
        "initial_topup_in_progress": ["initial_topup_done", "initial_topup_error"],
        "initial_topup_done": ["completed", "initial_topup_verify_error"],
        "initial_topup_verify_error": ["initial_topup_done", "completed"],
        "completed": [],
    },
    "CardTopupStatus": {
        "new": ["provider_in_progress", "new_error", "failed"],
        "new_error": ["new", "provider_in_progress", "failed"],
        "provider_in_progress": ["provider_verification", "provider_in_progress_error", "completed", "failed"],
        "provider_in_progress_error": ["provider_in_progress", "provider_verification", "failed"],
        "provider_verification": ["completed", "provider_verification_error", "failed"],
        "provider_verification_error": ["provider_verification", "completed", "failed"],
        "completed": [],
        "failed": [],
    },
}
TERMINAL: dict[str, frozenset[str]] = {
    "OrderStatus": frozenset({"completed", "failed"}),
    "CardIssueStatus": frozenset({"initial_topup_skipped", "completed"}),
    "CardTopupStatus": frozenset({"completed", "failed"}),
}
VALUE_LISTS: dict[str, list[str]] = {
    "CardStatus": [
        "pending_order",
        "paid",
        "pending_activation",
        "wait_for_topup_activation_by_user",
        "active",
        "frozen",
        "closed",
    ],
    "CardholderRegistrationStatus": ["pending", "active", "suspended", "failed"],
    "CardholderKycStatus": ["not_started", "pending", "approved", "rejected", "expired"],
    "CardholderKycLevel": ["none", "basic", "advanced", "full"],
}
