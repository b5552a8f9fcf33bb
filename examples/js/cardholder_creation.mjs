/** A user and a cardholder, so that cards can be issued; over fetch. */

import { randomUUID } from "node:crypto";
import { apiErrorOf, sealedFetch } from "cardseal/fetch";
import { apiKey, baseUrl, fail, secret } from "./account.mjs";

const api = sealedFetch({ baseUrl, apiKey, secret });

async function call(path, payload) {
  const response = await api(path, { method: "POST", body: JSON.stringify(payload) });
  const error = apiErrorOf(response);
  if (error) throw error;
  return await response.json();
}

const user = await call("/users/create", { external_user_id: `user-${randomUUID()}` });
console.log("user       ", user.external_user_id);

const { products } = await call("/cards/products", {});
const product = products.find(({ is_active }) => is_active) ?? fail("no product is active");
console.log("product    ", product.product_code, "issued by", product.subprovider_code);

const cardholder = await call("/cardholders/create", {
  external_user_id: user.external_user_id,
  subprovider_code: product.subprovider_code,
  first_name: "Ada",
  last_name: "Lovelace",
  birth_date: "1990-12-10",
  email: "ada@example.com",
  phone_number_full: "+4915112345678",
  country_iso: "DE",
});
console.log("cardholder ", cardholder.cardholder_id, cardholder.registration_status);
console.log("KYC        ", cardholder.kyc_status, "at level", cardholder.kyc_level);
if (cardholder.kyc_status !== "approved") fail("no card can be issued before the KYC is approved: ask again later");
