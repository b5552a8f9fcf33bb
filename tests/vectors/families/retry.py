"""retry.json: whether a failed call is made again."""

from __future__ import annotations

from oracle.response import should_retry

from .case import (
    Family,
    Fields,
)


def compute_retry(inputs: Fields) -> Fields:
    return {
        "expect": should_retry(
            inputs["kind"],
            inputs["failure_class"],
            inputs.get("code"),
            inputs["sent"],
            inputs["has_key"],
            inputs["attempt"],
        )
    }


RETRY = Family(
    "retry",
    "Whether a failed call is made again: at once, after a pause, not at all, or with its outcome unknown.",
    ("kind", "failure_class", "code", "sent", "has_key", "attempt"),
    compute_retry,
)


def retry(
    name: str, rules: str, expect: str, call: str, failure: str, sent: str, attempt: int = 1, code: str | None = None
) -> None:
    """`call` is a kind, with `+key` behind it if the request had an idempotency key."""
    kind, _, key = call.partition("+")
    extra: Fields = {} if code is None else {"code": code}
    RETRY.case(
        "retry_" + name,
        rules,
        expect,
        kind=kind,
        failure_class=failure,
        sent=sent,
        has_key=key == "key",
        attempt=attempt,
        **extra,
    )


NOW, BACKOFF, STOP, UNKNOWN = "retry_now", "retry_after_backoff", "stop", "outcome_unknown"

for call in ("read", "keyed+key", "keyed", "unsafe", "unsafe+key"):
    label = call.replace("+key", "_with_key") if "+" in call else call + ("_without_key" if call == "keyed" else "")
    repeatable = call in ("read", "keyed+key")
    for failure in ("never", "later"):
        for sent in ("no", "yes"):
            retry(f"{failure}_{label}_sent_{sent}", "RETRY-1", STOP, call, failure, sent)
    rules = "RETRY-2 RETRY-3" if repeatable else "RETRY-2 RETRY-5 RETRY-3"
    retry(
        f"transient_{label}_sent_no",
        rules.replace("RETRY-2 ", "") if not repeatable else rules,
        BACKOFF,
        call,
        "transient",
        "no",
    )
    for sent in ("yes", "unknown"):
        retry(f"transient_{label}_sent_{sent}", rules, BACKOFF if repeatable else UNKNOWN, call, "transient", sent)
        retry(
            f"reseal_{label}_sent_{sent}",
            "RETRY-2 RETRY-4" if repeatable else "RETRY-2 RETRY-5",
            NOW if repeatable else UNKNOWN,
            call,
            "reseal",
            sent,
            code="duplicate_request",
        )
    retry(f"reseal_{label}_sent_no", "RETRY-4" if repeatable else "RETRY-5 RETRY-4", NOW, call, "reseal", "no")

retry("transient_read_with_key_sent_yes", "RETRY-2 RETRY-3", BACKOFF, "read+key", "transient", "yes")
retry("transient_has_no_limit_of_its_own", "RETRY-1 RETRY-3", BACKOFF, "read", "transient", "yes", attempt=50)
retry("transient_unsafe_not_sent_many_attempts", "RETRY-5", BACKOFF, "unsafe", "transient", "no", attempt=50)
retry("never_at_first_attempt_is_not_transient", "RETRY-1 RETRY-3", STOP, "read", "never", "no")
retry("never_with_code", "RETRY-1 CLASS-1", STOP, "keyed+key", "never", "yes", code="api_key_not_found")
retry("later_with_code", "RETRY-1 CLASS-2", STOP, "keyed+key", "later", "yes", code="topup_attempts_exceeded")
retry("transient_with_slug", "RETRY-3 CLASS-2", BACKOFF, "keyed+key", "transient", "yes", code="provider_error")
retry("transient_without_answer", "RETRY-3 CLASS-3", BACKOFF, "keyed+key", "transient", "unknown")
retry("transient_envelope_error", "RETRY-3 CLASS-4", BACKOFF, "read", "transient", "yes", code="decryption_failed")
retry("never_reflected_response", "RETRY-1 CLASS-4", STOP, "read", "never", "yes", code="reflected_response")
retry(
    "duplicate_first_attempt_on_keyed_path",
    "RETRY-1 RETRY-4 CLASS-1",
    NOW,
    "keyed+key",
    "reseal",
    "yes",
    1,
    "duplicate_request",
)
for attempt, expect in ((0, NOW), (1, NOW), (2, NOW), (3, NOW), (4, STOP), (9, STOP)):
    retry(f"duplicate_attempt_{attempt}", "RETRY-4", expect, "read", "reseal", "yes", attempt, "duplicate_request")
for attempt, expect in ((0, NOW), (1, NOW), (2, STOP), (3, STOP)):
    retry(
        f"outside_window_attempt_{attempt}",
        "RETRY-4",
        expect,
        "keyed+key",
        "reseal",
        "yes",
        attempt,
        "timestamp_outside_window",
    )
for attempt, expect in ((3, NOW), (4, STOP)):
    retry(f"reseal_without_code_attempt_{attempt}", "RETRY-4", expect, "read", "reseal", "unknown", attempt)
    retry(
        f"reseal_unsafe_not_sent_attempt_{attempt}",
        "RETRY-5 RETRY-4",
        expect,
        "unsafe",
        "reseal",
        "no",
        attempt,
        "duplicate_request",
    )
retry(
    "outside_window_unsafe_not_sent_attempt_2",
    "RETRY-5 RETRY-4",
    STOP,
    "unsafe",
    "reseal",
    "no",
    2,
    "timestamp_outside_window",
)
retry("outside_window_unsafe_sent", "RETRY-5", UNKNOWN, "unsafe", "reseal", "yes", 1, "timestamp_outside_window")
retry("duplicate_unsafe_after_many_attempts", "RETRY-5", UNKNOWN, "unsafe", "reseal", "yes", 9, "duplicate_request")
