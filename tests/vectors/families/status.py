"""status.json."""

from __future__ import annotations

from oracle import status
from oracle.tables import MACHINES, TERMINAL, VALUE_LISTS

from .case import Family, Fields


def compute(inputs: Fields) -> Fields:
    if inputs["operation"] == "transition":
        return {"expect": status.transition(inputs["machine"], inputs["from"], inputs["to"])}
    if inputs["operation"] == "terminal":
        return {"expect": status.terminal(inputs["machine"], inputs["value"])}
    return {"expect": status.known(inputs["type"], inputs["value"])}


STATUS = Family(
    "status",
    "Status models: allowed and refused transitions, terminal values, known values.",
    ("operation", "machine", "type", "from", "to", "value"),
    compute,
)

LABELS = {
    "OrderStatus": "order",
    "CardIssueStatus": "card_issue",
    "CardTopupStatus": "card_topup",
    "CardStatus": "card",
    "CardholderRegistrationStatus": "cardholder_registration",
    "CardholderKycStatus": "cardholder_kyc_status",
    "CardholderKycLevel": "cardholder_kyc_level",
}


def transition(machine: str, before: str, after: str, expect: str) -> None:
    edge: Fields = {"from": before, "to": after}
    STATUS.case(
        f"status_{LABELS[machine]}_{before}_to_{after}",
        "STATUS-1",
        expect,
        operation="transition",
        machine=machine,
        **edge,
    )


for name, machine in MACHINES.items():
    for before, followers in machine.items():
        for after in followers:
            transition(name, before, after, "ok")

REFUSED = {
    "OrderStatus": {
        "new": ["new", "completed", "paid"],
        "activating": ["processing", "new"],
        "processing": ["activating", "processing", "paid"],
        "completed": ["failed", "completed"],
        "failed": ["new", "processing"],
        "paid": ["completed", "new"],
    },
    "CardIssueStatus": {
        "card_create_pending": ["initial_topup_pending", "card_create_pending"],
        "card_create_error": ["initial_topup_pending"],
        "card_create_done": ["completed", "card_create_pending"],
        "initial_topup_skipped": ["initial_topup_pending", "completed"],
        "initial_topup_pending": ["initial_topup_done"],
        "initial_topup_error": ["initial_topup_done"],
        "initial_topup_in_progress": ["completed", "initial_topup_pending"],
        "initial_topup_done": ["initial_topup_error"],
        "initial_topup_verify_error": ["initial_topup_error"],
        "completed": ["initial_topup_verify_error", "completed"],
    },
    "CardTopupStatus": {
        "new": ["completed", "provider_verification", "new"],
        "new_error": ["completed", "provider_verification"],
        "provider_in_progress": ["new", "provider_in_progress"],
        "provider_in_progress_error": ["completed"],
        "provider_verification": ["provider_in_progress"],
        "provider_verification_error": ["provider_in_progress"],
        "completed": ["failed", "provider_verification"],
        "failed": ["new", "failed"],
    },
}
for name, refused in REFUSED.items():
    for before, followers in refused.items():
        for after in followers:
            transition(name, before, after, "not_allowed")

for name, machine in MACHINES.items():
    for value in machine:
        STATUS.case(
            f"status_{LABELS[name]}_{value}_terminal",
            "STATUS-2",
            "ok" if value in TERMINAL[name] else "not_terminal",
            operation="terminal",
            machine=name,
            value=value,
        )

KNOWN: dict[str, list[str]] = {**{name: list(machine) for name, machine in MACHINES.items()}, **VALUE_LISTS}
for name, values in KNOWN.items():
    for value in values:
        STATUS.case(f"status_{LABELS[name]}_value_{value}", "STATUS-3", "ok", operation="value", type=name, value=value)
for name, label, value in (
    ("OrderStatus", "capital", "New"),
    ("OrderStatus", "empty", ""),
    ("OrderStatus", "with_space", "new "),
    ("CardIssueStatus", "of_another_model", "provider_verification"),
    ("CardTopupStatus", "of_another_model", "activating"),
    ("CardTopupStatus", "with_hyphen", "new-error"),
    ("CardStatus", "of_another_model", "completed"),
    ("CardStatus", "british", "cancelled"),
    ("CardholderRegistrationStatus", "of_another_model", "approved"),
    ("CardholderKycStatus", "of_another_model", "suspended"),
    ("CardholderKycLevel", "number", "1"),
):
    STATUS.case(
        f"status_{LABELS[name]}_unknown_{label}", "STATUS-3", "unknown", operation="value", type=name, value=value
    )
