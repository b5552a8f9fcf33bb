/** Payloads of exactly the size in their names, as JSON text. */

/** Cards with transactions: small objects with every kind of value, some text beyond ASCII, some escapes. */
export function fields(bytes) {
  const payload = { card_id: "card_abc123", transactions: [] };
  for (let index = 0; size(payload) < bytes - 200; index++) {
    payload.transactions.push({ id: `tx_${index}`, amount: "10.50", count: index, rate: 1.25, ok: index % 2 === 0, note: index % 8 ? "paid" : 'é "quoted"', ref: null });
  }
  return padded(payload, bytes);
}

/** One long string. */
export function blob(bytes) {
  return padded({}, bytes);
}

function padded(payload, bytes) {
  const filled = { ...payload, blob: "" };
  return { ...payload, blob: "x".repeat(bytes - size(filled)) };
}

function size(payload) {
  return Buffer.byteLength(JSON.stringify(payload));
}
