"""The master wallet: where to send USDT to, and waiting until it has arrived."""

import time
from decimal import Decimal

from account import ask_sandbox

from cardseal import Client

client = Client.from_env()
address = client.call("/project/wallet/trc20")["usdt_trc20"]
before = Decimal(client.call("/project/balance")["available"])
print("balance", before, "· send USDT (TRC-20) to", address)

# Here somebody sends it. The sandbox has no chain to wait for, and is told instead.
if not ask_sandbox("/control/fund", {"amount": "250.00"}):
    print("waiting for a transfer …")

for _ in range(600):
    balance = Decimal(client.call("/project/balance")["available"])
    if balance > before:
        print("arrived", balance - before, "· balance", balance)
        break
    time.sleep(1)
else:
    raise SystemExit("nothing has arrived in ten minutes")
