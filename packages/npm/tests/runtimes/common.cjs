const cardseal = require("cardseal");
const client = require("cardseal/client");
const fetch = require("cardseal/fetch");
const server = require("cardseal/server");

import("./check.js").then(async ({ check, checkHttp }) => {
  await checkHttp(cardseal, fetch, client, server);
  console.log(JSON.stringify(check(cardseal)));
});
