"""Which webhooks have been handled: delivery is at least once, so that every one may come again."""

from __future__ import annotations

import threading
import time

from cardseal._native import WEBHOOK_LEASE_MILLIS, WEBHOOK_TTL_MILLIS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cardseal.types import WebhookState

LEASE_SECONDS = WEBHOOK_LEASE_MILLIS / 1000
"""How long a webhook counts as being handled unless told otherwise; after that its handler is given up for dead."""

REMEMBER_SECONDS = WEBHOOK_TTL_MILLIS / 1000
"""How long a handled webhook is remembered; far longer than a sender goes on sending."""


class MemoryWebhookStore:
    """Remembers the webhooks that one process has handled; safe to share by threads.

    While a webhook is being handled, for ``lease_seconds`` at most, another delivery of it is told to come again: the
    first may still fail. A handled one is remembered for ``remember_seconds``.
    """

    def __init__(self, *, lease_seconds: float = LEASE_SECONDS, remember_seconds: float = REMEMBER_SECONDS) -> None:
        self._lease_seconds = lease_seconds
        self._remember_seconds = remember_seconds
        self._lock = threading.Lock()
        self._known: dict[str, tuple[WebhookState, float]] = {}

    def begin(self, dedupe_key: str) -> WebhookState:
        """Take a webhook up: ``"new"``; or ``"busy"`` or ``"handled"``, as another delivery of it is."""
        now = time.monotonic()
        with self._lock:
            for key in [key for key, (_, end) in self._known.items() if end <= now]:
                del self._known[key]
            state, _ = self._known.get(dedupe_key, ("new", now))
            if state == "new":
                self._known[dedupe_key] = ("busy", now + self._lease_seconds)
            return state

    def finish(self, dedupe_key: str) -> None:
        """Remember that a webhook has been handled."""
        with self._lock:
            self._known[dedupe_key] = ("handled", time.monotonic() + self._remember_seconds)

    def give_back(self, dedupe_key: str) -> None:
        """Forget a webhook whose handler failed, so that it can come again."""
        with self._lock:
            self._known.pop(dedupe_key, None)

    def __repr__(self) -> str:
        return f"MemoryWebhookStore(webhooks={len(self._known)})"
