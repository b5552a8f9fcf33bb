"""What the other examples start from: the account in the environment, and a card of it to try things with."""

import os
import uuid

from cardseal import Client

URL = os.environ["CARDSEAL_URL"]
API_KEY = os.environ["CARDSEAL_API_KEY"]
SECRET = os.environ["CARDSEAL_SECRET"]


def cardholder():
    """Create a user with a cardholder; give the user's id."""
    client, user_id = Client.from_env(), f"user-{uuid.uuid4()}"
    client.call("/users/create", {"external_user_id": user_id})
    person = {"first_name": "Ada", "last_name": "Lovelace", "birth_date": "1990-12-10", "country_iso": "DE"}
    contact = {"email": "ada@example.com", "phone_number_full": "+4915112345678"}
    client.call(
        "/cardholders/create", {"external_user_id": user_id, "subprovider_code": "sandbox", **person, **contact}
    )
    return user_id


def card():
    """Issue an active card; give its id and its user's."""
    client, user_id = Client.from_env(), cardholder()
    payload = {"product_code": "virtual_usd", "external_user_id": user_id, "amount": "10.00"}
    order = client.call("/cards/create", payload, f"issue-{user_id}")
    return client.wait_for_order(order["order_id"])["card_id"], user_id


def ask_sandbox(path, json):
    """Ask the sandbox for what no real API does, such as a fault; False where CARDSEAL_URL is no sandbox of yours."""
    if "CARDSEAL_CONTROL_URL" not in os.environ:
        return False
    import requests

    headers = {"Authorization": f"Bearer {os.environ['CARDSEAL_CONTROL_TOKEN']}"}
    requests.post(os.environ["CARDSEAL_CONTROL_URL"] + path, json=json, headers=headers, timeout=10).raise_for_status()
    return True
