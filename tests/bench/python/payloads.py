"""The objects that are sealed: of about the size in their names as JSON, ASCII, beyond ASCII, or full of escapes."""

import json

KIB = 1 << 10
MIB = 1 << 20

TEXTS = {
    "ascii": ("Cafe No.", "first line, second line"),
    "non-ascii": ("Café № Ünïtéd", "première ligne, deuxième ligne, 三行目"),
    "escapes": ('Cafe "No."', 'first line\nsecond "line"\n\\third\\'),
}


def payloads(variant):
    """Give name and payload of every size."""
    merchant, memo = TEXTS[variant]
    return {
        "64 B": fields(64, merchant, memo),
        "256 B": fields(256, merchant, memo),
        "1 KiB": fields(KIB, merchant, memo),
        "16 KiB many": fields(16 * KIB, merchant, memo),
        "16 KiB blob": {"document": filled(16 * KIB, memo)},
        "1 MiB blob": {"document": filled(MIB, memo)},
        "1 MiB many": fields(MIB, merchant, memo),
    }


def fields(size, merchant, memo):
    """Make a card and its transactions: as many small objects as fit, with every kind of value."""
    payload = {"card_id": "card_abc123", "amount": "10.00"}
    transactions = []
    room = size - length(payload) - len(', "transactions": []')
    for number in range(size):
        transaction = {
            "id": f"txn_{number:06}",
            "amount": f"{number % 997}.{number % 100:02}",
            "currency": "USD",
            "merchant": f"{merchant} {number}",
            "mcc": 4000 + number % 2000,
            "settled": True,
            "fee": -0.25,
            "memo": memo,
            "reversal": None,
        }
        room -= length(transaction) + 1
        if room < 0:
            break
        transactions.append(transaction)
    if transactions:
        payload["transactions"] = transactions
    missing = size - length(payload) - len(',"note":""')
    if missing > 0:
        payload["note"] = filled(missing, memo)
    return payload


def filled(size, memo):
    """Repeat a text until it takes so many bytes of JSON."""
    one = length(memo) - 2
    return memo * max(1, size // one) if size >= one else "x" * size


def length(value):
    """Bytes of the shortest JSON text."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
