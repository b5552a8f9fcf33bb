import * as cardseal from "cardseal";
import { check } from "./check.js";

export default {
  test() {
    console.log(JSON.stringify(check(cardseal)));
  },
};
