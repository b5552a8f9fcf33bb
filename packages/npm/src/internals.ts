/** What the package's entries for HTTP take from the core's entry beside its API. Not in the types that are published. */

import { correctClock } from "./engine.js";
import { brandClass, nameClass } from "./names.js";
import { digits, onlyKnown, optional, string } from "./options.js";
import { jsonText } from "./payload.js";

/** @internal */
export const internals = { brandClass, correctClock, digits, jsonText, nameClass, onlyKnown, optional, string };
