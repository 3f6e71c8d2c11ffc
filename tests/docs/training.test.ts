import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("docs/training.md: the snippet trains and prints what it says", () => {
  const page = readFileSync(join(root, "docs/training.md"), "utf8");
  const [, code = ""] = /<!-- test: console -->\n```js\n([\s\S]*?)```/.exec(page) ?? [];
  const promised = Array.from(code.matchAll(/console\.log\(.*\); \/\/ (.*)/g), ([, text]) => `${text}\n`).join("");
  assert.equal(promised, "true\n");
  // Inside the project, so that "bitpress" is this package.
  const folder = mkdtempSync(join(root, "build-training-"));
  try {
    const file = join(folder, "snippet.mjs");
    writeFileSync(file, code);
    const printed = execFileSync(process.execPath, [file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    assert.ok(printed.endsWith(promised), printed);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
