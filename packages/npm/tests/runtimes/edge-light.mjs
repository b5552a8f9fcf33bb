/** Stands in for Next's edge runtime: gives `*.wasm?module` imports a compiled module, as Next's bundler does. */

import { register } from "node:module";

const hooks = `
  export async function load(url, context, next) {
    if (!url.endsWith(".wasm?module")) return next(url, context);
    const source = \`
      import { readFileSync } from "node:fs";
      export default new WebAssembly.Module(readFileSync(new URL(\${JSON.stringify(url.replace("?module", ""))})));
    \`;
    return { format: "module", source, shortCircuit: true };
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
await import("./module.mjs");
