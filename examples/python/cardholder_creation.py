"""A user and a cardholder, so that cards can be issued; over requests."""

import uuid

import requests
from account import API_KEY, SECRET, URL

from cardseal import CardholderKycStatus
from cardseal.requests import SealAdapter, api_error

session = requests.Session()
session.mount(URL, SealAdapter(API_KEY, SECRET))


def call(path, payload):
    answer = session.post(f"{URL}/api/v1{path}", json=payload, timeout=10)
    if error := api_error(answer):
        raise error
    return answer.json()


user = call("/users/create", {"external_user_id": f"user-{uuid.uuid4()}"})
print("user       ", user["external_user_id"])

products = call("/cards/products", {})["products"]
product = next(product for product in products if product["is_active"])
print("product    ", product["product_code"], "issued by", product["subprovider_code"])

cardholder = call(
    "/cardholders/create",
    {
        "external_user_id": user["external_user_id"],
        "subprovider_code": product["subprovider_code"],
        "first_name": "Ada",
        "last_name": "Lovelace",
        "birth_date": "1990-12-10",
        "email": "ada@example.com",
        "phone_number_full": "+4915112345678",
        "country_iso": "DE",
    },
)
print("cardholder ", cardholder["cardholder_id"], cardholder["registration_status"])
print("KYC        ", cardholder["kyc_status"], "at level", cardholder["kyc_level"])
if CardholderKycStatus(cardholder["kyc_status"]) != CardholderKycStatus.APPROVED:
    raise SystemExit("no card can be issued before the KYC is approved: ask again later")
