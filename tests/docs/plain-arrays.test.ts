import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("docs/plain-arrays.md: the snippet trains and prints what it says", () => {
  const page = readFileSync(join(root, "docs/plain-arrays.md"), "utf8");
  const [, code = ""] = /<!-- test: console -->\n```js\n([\s\S]*?)```/.exec(page) ?? [];
  const promised = Array.from(code.matchAll(/console\.log\(.*\); \/\/ (.*)/g), ([, text]) => `${text}\n`);
  assert.equal(promised.length, 2);
  // Inside the project, so that "bitpress" is this package.
  const folder = mkdtempSync(join(root, "build-plain-arrays-"));
  try {
    const file = join(folder, "snippet.mjs");
    writeFileSync(file, code);
    assert.equal(execFileSync(process.execPath, [file], { encoding: "utf8" }), promised.join(""));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
