import * as cardseal from "cardseal";
import * as client from "cardseal/client";
import * as fetch from "cardseal/fetch";
import * as server from "cardseal/server";
import { check, checkHttp } from "./check.js";

export default {
  async test() {
    await checkHttp(cardseal, fetch, client, server);
    console.log(JSON.stringify(check(cardseal)));
  },
};
