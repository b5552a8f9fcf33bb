"""A card is frozen, and unfrozen again; asynchronously, over httpx."""

import asyncio

import httpx
from account import API_KEY, SECRET, URL, card

from cardseal import CardStatus, OrderStatus
from cardseal.httpx import AsyncSealTransport, api_error


async def main(card_id, user_id):
    transport = AsyncSealTransport(API_KEY, SECRET)
    async with httpx.AsyncClient(base_url=f"{URL}/api/v1", transport=transport) as http:

        async def call(path, payload):
            answer = await http.post(path, json=payload)
            if error := api_error(answer):
                raise error
            return answer.json()

        for path, wanted in (("/cards/freeze", CardStatus.FROZEN), ("/cards/unfreeze", CardStatus.ACTIVE)):
            order = await call(path, {"card_id": card_id, "external_user_id": user_id})
            while not OrderStatus(order["status"]).is_terminal:
                await asyncio.sleep(0.1)
                order = await call("/orders/check", {"order_id": order["order_id"]})
            status = (await call("/cards/get", {"card_id": card_id}))["provider_card_status"]
            print(path, "→", status)
            if status != wanted:
                raise SystemExit(f"the card is {status}: {order.get('last_error')}")


asyncio.run(main(*card()))
