import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import * as bitpress from "../../src/index.js";

test("the code in docs/observers.md prints what its comments say", () => {
  const text = readFileSync(new URL("../../docs/observers.md", import.meta.url), "utf8");
  const blocks = Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, block]) => block);
  assert.equal(blocks.length, 1);
  const promised = Array.from(blocks[0].matchAll(/console\.log\(.*\); \/\/ (.*)/g), ([, value]) => value);
  assert.equal(promised.length, 3);
  const printed: string[] = [];
  const scope = { ...bitpress, console: { log: (value: unknown) => printed.push(inspect(value)) } };
  new Function(...Object.keys(scope), blocks[0].replace(/^import .*$/m, ""))(...Object.values(scope));
  assert.deepEqual(printed, promised);
});
