const cardseal = require("cardseal/wasm");

import("./check.js").then(({ check }) => console.log(JSON.stringify(check(cardseal))));
