"""A card is ordered, and its order polled by the status models until it has ended; over requests."""

import time

import requests
from account import API_KEY, SECRET, URL, cardholder

from cardseal import CardIssueStatus, OrderStatus, derive_idempotency_key
from cardseal.requests import SealAdapter, api_error

session = requests.Session()
session.mount(URL, SealAdapter(API_KEY, SECRET))


def call(path, payload, **headers):
    answer = session.post(f"{URL}/api/v1{path}", json=payload, headers=headers, timeout=10)
    if error := api_error(answer):
        raise error
    return answer.json()


user_id = cardholder()
# The key is made of what is ordered, so that it is the same however often this runs, also after a crash.
key = derive_idempotency_key("card-issue", user_id)
payload = {"product_code": "virtual_usd", "external_user_id": user_id, "amount": "10.00"}
order = call("/cards/create", payload, **{"Idempotency-Key": key})

while not OrderStatus(order["status"]).is_terminal:
    print("order", order["status"], "·", CardIssueStatus(order["issue_status"]))
    time.sleep(0.1)
    order = call("/orders/check", {"order_id": order["order_id"]})
print("order", order["status"], "·", order["issue_status"])
if order["status"] != OrderStatus.COMPLETED:
    raise SystemExit(f"the card was not issued: {order['last_error']}")

card = call("/cards/get", {"card_id": order["card_id"]})
print("card ", card["masked_number"], card["provider_card_status"], card["balance"], card["currency"])
