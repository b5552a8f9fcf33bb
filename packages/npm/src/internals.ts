/** What the package's entries for HTTP take from the core's entry beside its API. Not in the types that are published. */

import { brandClass, nameClass } from "./names.js";
import { digits, onlyKnown, optional, string } from "./options.js";
import { jsonText } from "./payload.js";

/** @internal */
export const internals = { brandClass, digits, jsonText, nameClass, onlyKnown, optional, string };
