import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Runs a console snippet of a page in docs, the first as a rule, in a process of its own; it must end with what its comments
 * say, `lines` of them.
 */
export function checkSnippet(page: string, lines: number, index = 0): void {
  const text = readFileSync(join(root, "docs", page), "utf8");
  const snippets = [...text.matchAll(/<!-- test: console(?: tfjs)? -->\n```js\n([\s\S]*?)```/g)];
  const [, code = ""] = snippets[index] ?? [];
  const promised = Array.from(code.matchAll(/console\.log\(.*\); \/\/ (.*)/g), ([, printed]) => `${printed}\n`);
  assert.equal(promised.length, lines);
  // Inside the project, so that "bitpress" is this package.
  const folder = mkdtempSync(join(root, "build-page-"));
  try {
    const file = join(folder, "snippet.mjs");
    writeFileSync(file, code);
    const printed = execFileSync(process.execPath, [file], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    assert.ok(printed.endsWith(promised.join("")), printed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
