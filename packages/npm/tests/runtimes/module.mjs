import * as cardseal from "cardseal";
import { check } from "./check.js";

console.log(JSON.stringify(check(cardseal)));
