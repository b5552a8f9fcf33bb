"""A top-up whose answer is lost is repeated: same idempotency key, new timestamp and nonce, charged once."""

from decimal import Decimal

from account import API_KEY, SECRET, URL, ask_sandbox, card

from cardseal import Client, OutcomeUnknownError, derive_idempotency_key


def on_attempt(event):
    print(f"attempt {event.attempt} of {event.path}: {event.status or 'no answer'}")


client = Client(URL, API_KEY, SECRET, on_attempt=on_attempt)
card_id, _ = card()
topup, key = {"card_id": card_id, "amount": "20.00"}, derive_idempotency_key("retry", card_id)

# By itself: the client seals again and sends again, since the call has a key.
ask_sandbox("/control/faults", {"kind": "drop", "when": "after", "path": "/cards/topup", "count": 1})
order = client.call("/cards/topup", topup, key)

# By hand, as after a crash: whoever finds the key in their data base calls again with it.
impatient = Client(URL, API_KEY, SECRET, attempts=1, on_attempt=on_attempt)
ask_sandbox("/control/faults", {"kind": "drop", "when": "after", "path": "/cards/topup", "count": 1})
try:
    again = impatient.call("/cards/topup", topup, key)
except OutcomeUnknownError as error:
    again = client.call(error.path, topup, error.idempotency_key)

order, again = client.wait_for_order(order["order_id"]), client.wait_for_order(again["order_id"])
charged = Decimal(order["balance_before"]) - Decimal(order["balance_after"])
print("one order", order["order_id"], "· charged", charged, "once")
if again["order_id"] != order["order_id"] or charged >= 40:
    raise SystemExit("it was charged twice")
