"""A card is topped up once, whatever happens on the way; over httpx."""

import time

import httpx
from account import API_KEY, SECRET, URL, card

from cardseal import OrderStatus, derive_idempotency_key
from cardseal.httpx import SealTransport, api_error

card_id, _ = card()
key = derive_idempotency_key("card-topup", f"invoice 42 of {card_id}")

with httpx.Client(base_url=f"{URL}/api/v1", transport=SealTransport(API_KEY, SECRET)) as http:

    def call(path, payload, **headers):
        answer = http.post(path, json=payload, headers=headers)
        if error := api_error(answer):
            raise error
        return answer.json()

    order = call("/cards/topup", {"card_id": card_id, "amount": "20.00"}, **{"Idempotency-Key": key})
    while not OrderStatus(order["status"]).is_terminal:
        time.sleep(0.1)
        order = call("/orders/check", {"order_id": order["order_id"]})
    card = call("/cards/get", {"card_id": card_id})

if order["status"] != OrderStatus.COMPLETED:
    raise SystemExit(f"the top-up failed, and what it cost is given back: {order['last_error']}")
print("wallet", order["balance_before"], "→", order["balance_after"])
print("card  ", card["balance"], card["currency"])
