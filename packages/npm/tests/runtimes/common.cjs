const cardseal = require("cardseal");

import("./check.js").then(({ check }) => console.log(JSON.stringify(check(cardseal))));
