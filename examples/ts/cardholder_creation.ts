/** A user and a cardholder, so that cards can be issued; over fetch. */

import { randomUUID } from "node:crypto";
import type { CardholderKycLevel, CardholderKycStatus, CardholderRegistrationStatus } from "cardseal";
import { apiErrorOf, sealedFetch } from "cardseal/fetch";
import { apiKey, baseUrl, fail, secret } from "./account.js";

interface Product {
  product_code: string;
  subprovider_code: string;
  is_active: boolean;
}

interface NewCardholder {
  external_user_id: string;
  subprovider_code: string;
  first_name: string;
  last_name: string;
  birth_date: string; // YYYY-MM-DD
  email: string;
  phone_number_full: string;
  country_iso: string;
}

interface Cardholder {
  cardholder_id: string;
  registration_status: CardholderRegistrationStatus;
  kyc_status: CardholderKycStatus;
  kyc_level: CardholderKycLevel;
}

const api = sealedFetch({ baseUrl, apiKey, secret });

async function call<Answer>(path: string, payload: object): Promise<Answer> {
  const response = await api(path, { method: "POST", body: JSON.stringify(payload) });
  const error = apiErrorOf(response);
  if (error) throw error;
  return (await response.json()) as Answer;
}

const user = await call<{ external_user_id: string }>("/users/create", { external_user_id: `user-${randomUUID()}` });
console.log("user       ", user.external_user_id);

const { products } = await call<{ products: Product[] }>("/cards/products", {});
const product = products.find(({ is_active }) => is_active) ?? fail("no product is active");
console.log("product    ", product.product_code, "issued by", product.subprovider_code);

const { external_user_id } = user;
const { subprovider_code } = product;
const person = { first_name: "Ada", last_name: "Lovelace", birth_date: "1990-12-10", country_iso: "DE" };
const contact = { email: "ada@example.com", phone_number_full: "+4915112345678" };
const payload: NewCardholder = { external_user_id, subprovider_code, ...person, ...contact };
const cardholder = await call<Cardholder>("/cardholders/create", payload);
console.log("cardholder ", cardholder.cardholder_id, cardholder.registration_status);
console.log("KYC        ", cardholder.kyc_status, "at level", cardholder.kyc_level);
if (cardholder.kyc_status !== "approved") fail("no card can be issued before the KYC is approved: ask again later");
