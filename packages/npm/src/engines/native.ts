/** The core as native code: a package of its own for each platform, in the manner of napi-rs. */

import platforms from "../../platforms.json" with { type: "json" };
import { type Core, type Engine, start } from "../engine.js";
import { sealWith, type Tapes } from "./tape.js";

/**
 * The native engine for this platform, or `otherwise` where no package fits: none was installed, its binary does not load,
 * or it is of another version.
 */
export function nativeOr(otherwise: () => Core, require: () => (name: string) => unknown): Core {
  for (const { name } of platforms.filter(({ os, cpu }) => os === process.platform && cpu === process.arch)) {
    try {
      const { call, cell, ...tapes } = require()(`@cardseal/${name}`) as Pick<Engine, "call" | "cell"> & Tapes;
      return start({ name: "napi", generation: 0, canTrap: false, call, cell, seal: sealWith(tapes) });
    } catch {
      // The next one: on Linux there are two for each processor, and only one fits the C library.
    }
  }
  return otherwise();
}
