"""What is sealed: the payloads of ``tests/bench/payloads.json``, of exactly the size in their names as JSON text."""

import hashlib
import itertools
import json
from pathlib import Path

PLAN = json.loads((Path(__file__).parent.parent / "payloads.json").read_text(encoding="utf-8"))


def payloads():
    """Give size, variant and payload of every combination."""
    for size in PLAN["sizes"]:
        make = {"fields": fields, "blob": blob}[size["shape"]]
        for variant, texts in PLAN["variants"].items():
            yield size, variant, make(size["bytes"], texts)


def check():
    """All languages seal the same texts, to the byte."""
    digest = hashlib.sha256(b"".join(text(payload) + b"\n" for _, _, payload in payloads())).hexdigest()
    if digest != PLAN["sha256"]:
        raise SystemExit(f"the payloads are not those of payloads.json: their digest is {digest}")


def fields(size, texts):
    """Make a card and its transactions: as many small objects as fit, with every kind of value."""
    payload = {"card_id": "card_abc123", "amount": "10.00"}
    transactions = []
    room = size - len(text(payload)) - len(',"transactions":[],"note":""')
    for number in itertools.count():
        transaction = {
            "id": f"txn_{number:06}",
            "amount": f"{number % 997}.{number % 100:02}",
            "currency": "USD",
            "merchant": f"{texts['merchant']} {number}",
            "mcc": 4000 + number % 2000,
            "settled": True,
            "fee": -0.25,
            "memo": texts["memo"],
            "reversal": None,
        }
        room -= len(text(transaction)) + len(",")
        if room < 0:
            break
        transactions.append(transaction)
    if transactions:
        payload["transactions"] = transactions
    payload["note"] = filled(size - len(text(payload)) - len(',"note":""'), texts)
    return payload


def blob(size, texts):
    """Make one long string."""
    return {"document": filled(size - len('{"document":""}'), texts)}


def filled(size, texts):
    """Repeat a text until it takes so many bytes of JSON; what is left over is filled with less."""
    value = ""
    for part in (texts["memo"], texts["filler"], "x"):
        length = len(text(part)) - len('""')
        value += part * (size // length)
        size %= length
    return value


def text(value):
    """Write the shortest JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
