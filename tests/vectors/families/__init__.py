"""The declared cases, one module a subject; `FAMILIES` lists them in the order of SPEC.md."""

from __future__ import annotations

from . import freshness, open, requests, response, retry, seal, status, texts, webhook
from .case import Family

FAMILIES: list[Family] = [
    seal.KEY,
    seal.SEAL,
    open.OPEN,
    open.BASE64,
    texts.JSON,
    requests.TIMESTAMP,
    requests.WINDOW,
    requests.PAYLOAD,
    requests.PATH,
    requests.REQUEST,
    requests.PRECEDENCE,
    freshness.REPLAY,
    freshness.IDEMPOTENCY,
    freshness.RECORDS,
    freshness.FINGERPRINT,
    freshness.CLOCK,
    freshness.NONCE_POOL,
    response.RESPONSE,
    retry.RETRY,
    webhook.WEBHOOK,
    status.STATUS,
]
