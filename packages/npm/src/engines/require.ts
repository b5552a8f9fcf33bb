/** `require` for modules in Node that have none. */

import { createRequire } from "node:module";

/** This module's own; bundled as CommonJS it has no address, and the working directory has to do. */
export function ownRequire(): NodeJS.Require {
  try {
    return createRequire(import.meta.url);
  } catch {
    return createRequire(`${process.cwd()}/`);
  }
}
