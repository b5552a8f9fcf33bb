"""Status models: SPEC section 23."""

from __future__ import annotations

from .tables import MACHINES, TERMINAL, VALUE_LISTS


def transition(machine: str, before: str, after: str) -> str:
    return "ok" if after in MACHINES[machine].get(before, []) else "not_allowed"


def terminal(machine: str, value: str) -> str:
    return "ok" if value in TERMINAL[machine] else "not_terminal"


def known(type_name: str, value: str) -> str:
    values = MACHINES[type_name] if type_name in MACHINES else VALUE_LISTS[type_name]
    return "ok" if value in values else "unknown"
