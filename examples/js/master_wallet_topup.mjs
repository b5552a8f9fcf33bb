/** The master wallet: where to send USDT to, and waiting until it has arrived. */

import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "cardseal/client";
import { askSandbox, fail } from "./account.mjs";

const client = Client.fromEnv();
const { usdt_trc20: address } = await client.call("/project/wallet/trc20");
const { available: before } = await client.call("/project/balance");
console.log("balance", before, "· send USDT (TRC-20) to", address);

// Here somebody sends it. The sandbox has no chain to wait for, and is told instead.
if (!(await askSandbox("/control/fund", { amount: "250.00" }))) console.log("waiting for a transfer …");

let balance = before;
for (let asked = 0; asked < 600 && Number(balance) <= Number(before); asked++) {
  if (asked > 0) await sleep(1_000);
  balance = (await client.call("/project/balance")).available;
}
// Money comes as text. As numbers it may be compared and shown; a ledger counts it in whole cents.
const arrived = Number(balance) - Number(before);
if (arrived <= 0) fail("nothing has arrived in ten minutes");
console.log("arrived", arrived.toFixed(2), "· balance", balance);
