import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { transformSync } from "esbuild";

// What runs inside as-pect's process is JavaScript by necessity: hooks load before anything that could compile TypeScript, and
// a TypeScript loader for the whole process would spend twenty seconds on the compiler's bundle.

/** Rewrites enum numbers in as-pect's own files, and serves the configuration compiled from TypeScript. */
const HOOKS = `
let data;
export function initialize(given) { data = given; }
export async function load(url, context, nextLoad) {
  if (url.endsWith("/as-pect.config.ts")) return { format: "module", source: data.config, shortCircuit: true };
  const loaded = await nextLoad(url, context);
  if (!/\\/(@as-pect\\/transform|visitor-as)\\//.test(url)) return loaded;
  const source = String(loaded.source).replace(/\\b\\d+ \\/\\* NodeKind\\.(\\w+) \\*\\//g, (all, name) => {
    if (!(name in data.kinds)) throw new Error("NodeKind." + name + " is gone: " + url);
    return String(data.kinds[name]);
  });
  return { ...loaded, source };
}`;

/**
 * A module for `node --import` that lets as-pect 8.1.0 run with a later compiler.
 *
 * as-pect and visitor-as 0.11.4 were compiled with TypeScript's const enums, so their code holds
 * `51 /* NodeKind.ClassDeclaration *\/`, and assemblyscript 0.28.17 moved those numbers by one. Each number is rewritten from
 * its comment with the installed compiler's own enum.
 *
 * @param compiler path of assemblyscript/dist/assemblyscript.js
 * @param config path of as-pect.config.ts
 */
export function asPectHooks(compiler: string, config: string): string {
  const data = transformSync(readFileSync(config, "utf8"), { loader: "ts" }).code;
  return moduleUrl(`
import { register } from "node:module";
import { NodeKind } from ${JSON.stringify(pathToFileURL(compiler))};
const kinds = Object.fromEntries(Object.entries(NodeKind).filter(([name]) => Number.isNaN(Number(name))));
register(${JSON.stringify(moduleUrl(HOOKS))}, { data: { kinds, config: ${JSON.stringify(data)} } });`);
}

function moduleUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
