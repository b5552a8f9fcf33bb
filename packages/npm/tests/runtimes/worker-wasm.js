import * as cardseal from "cardseal/wasm";
import { check } from "./check.js";

export default {
  test() {
    console.log(JSON.stringify(check(cardseal)));
  },
};
