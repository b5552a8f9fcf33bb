#!/usr/bin/env python3
"""Writes the test vectors beside this file from the declared cases and the oracle's own implementation.

    python generate.py             rewrite the JSON files here
    python generate.py --out DIR   write them to DIR
    python generate.py --check     write nothing; exit 1 and name the files that differ

A case whose declared result differs from the computed one ends the run, and so does a rule of SPEC.md that lacks a
passing or a failing case. Needs Python 3.10 and the packages in requirements.txt.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from families.case import Family

HERE = Path(__file__).resolve().parent
SPEC = HERE.parents[1] / "SPEC.md"
MIN_CASES = 1400
MIN_FAILING = 880
ERROR_CODES = frozenset(
    {
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
    }
)
PASSING = frozenset({"ok", "retry_now", "retry_after_backoff"})
OTHER_FAILING = frozenset(
    {
        "api_error",
        "stop",
        "outcome_unknown",
        "not_allowed",
        "not_terminal",
        "unknown",
        "in_progress",
        "conflict",
        "stale",
    }
)


def main() -> int:
    options = parse_arguments()
    sys.path.insert(0, str(HERE))
    from oracle.refusal import Disagreement

    try:
        from families import FAMILIES

        check_suite(FAMILIES)
    except ModuleNotFoundError as error:
        return complain(f"{error.name} is missing; run: python -m pip install -r {HERE / 'requirements.txt'}")
    except Disagreement as error:
        return complain(f"disagreement: {error}")

    files = {f"{family.stem}.json": render(family) for family in FAMILIES}
    if options.check:
        return check_files(files)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (options.out / name).write_text(text, encoding="utf-8", newline="\n")
    print(summary(FAMILIES))
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="write or check the test vectors")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: beside this file)")
    mode.add_argument("--check", action="store_true", help="write nothing, exit 1 if a committed file differs")
    return parser.parse_args()


def render(family: Family) -> str:
    document = {"family": family.stem, "about": family.about, "cases": family.cases}
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def check_files(files: dict[str, str]) -> int:
    stale = [name for name, text in files.items() if read_or_none(HERE / name) != text]
    stale += sorted(path.name for path in HERE.glob("*.json") if path.name not in files)
    if not stale:
        return 0
    return complain(f"stale: {', '.join(stale)}; run: python tests/vectors/generate.py")


def complain(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def read_or_none(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8") if path.is_file() else None


def check_suite(families: list[Family]) -> None:
    """What no single case can show: unique names, known results, minimum counts, and coverage of SPEC.md."""
    from oracle.refusal import Disagreement

    cases = [case for family in families for case in family.cases]
    names = [case["name"] for case in cases]
    for name in sorted({name for name in names if names.count(name) > 1}):
        raise Disagreement(f"two cases are called {name}")
    for case in cases:
        if case["expect"] not in PASSING | ERROR_CODES | OTHER_FAILING:
            raise Disagreement(f"{case['name']}: no such result: {case['expect']}")
    missing = ERROR_CODES - {case["expect"] for case in cases}
    if missing:
        raise Disagreement(f"no case ends in {', '.join(sorted(missing))}")
    failing = [case for case in cases if case["expect"] not in PASSING]
    if len(cases) < MIN_CASES or len(failing) < MIN_FAILING:
        raise Disagreement(f"{len(cases)} cases, {len(failing)} of them failing: too few")

    rules = spec_rules()
    shown: dict[str, set[bool]] = {rule: set() for rule in rules}
    for case in cases:
        for rule in case["rules"]:
            if rule not in shown:
                raise Disagreement(f"{case['name']}: SPEC.md has no rule {rule}")
            shown[rule].add(case["expect"] in PASSING)
    lacking = [
        f"{rule} ({'failing' if True in kinds else 'passing' if kinds else 'any'})"
        for rule, kinds in shown.items()
        if len(kinds) < 2
    ]
    if lacking:
        raise Disagreement(f"rules of SPEC.md without such a case: {', '.join(lacking)}")


def spec_rules() -> list[str]:
    """The rule ids in the order of SPEC.md, numbered from 1 in each area."""
    from oracle.refusal import Disagreement

    if not SPEC.is_file():
        raise Disagreement(f"{SPEC} is missing; the generator reads the rule ids from it")
    rules = re.findall(r"^\*\*\[([A-Z0-9]+-[0-9]+)\]\*\* ", SPEC.read_text(encoding="utf-8"), re.MULTILINE)
    count: dict[str, int] = {}
    for rule in rules:
        area, _, number = rule.rpartition("-")
        count[area] = count.get(area, 0) + 1
        if int(number) != count[area]:
            raise Disagreement(f"SPEC.md: {rule} is out of order")
    return rules


def summary(families: list[Family]) -> str:
    lines = []
    totals = [0, 0]
    for family in families:
        passing = sum(case["expect"] in PASSING for case in family.cases)
        failing = len(family.cases) - passing
        totals = [totals[0] + passing, totals[1] + failing]
        lines.append(f"{family.stem:<14} {passing:>4} passing {failing:>4} failing")
    lines.append(f"{'total':<14} {totals[0]:>4} passing {totals[1]:>4} failing")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
