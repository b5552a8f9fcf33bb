"""How the oracle refuses, and how a suite that is wrong is reported."""

from __future__ import annotations


class Refusal(Exception):
    """Carries the error code of SPEC section 12 and, for a window, the skew."""

    def __init__(self, code: str, **details: int | str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class Disagreement(Exception):
    """A declared case and its computed result differ, or the declaration itself is wrong."""
