import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../examples/plain-arrays.ts", import.meta.url));
const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ["--import", "tsx", script, ...args], { encoding: "utf8", timeout: 120_000 });

it("training on plain arrays, quickly: the trained nets are better than the rounded ones, and smaller than float", () => {
  const { status, stdout, stderr } = run("--quick");
  assert.equal(status, 0, stderr);
  const [header, , ...rows] = stdout
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.slice(1, -1).split("|"))
    .map((cells) => cells.map((cell) => cell.trim()));
  assert.deepEqual(header, ["net", "untrained", "trained", "file bytes"]);
  assert.deepEqual(
    rows.map(([name]) => name),
    ["float", "w4a4", "w2a4"],
  );
  const [float, w4a4, w2a4] = rows.map(([, untrained, trained, bytes]) => ({
    untrained: Number.parseFloat(untrained),
    trained: Number.parseFloat(trained),
    bytes: Number(bytes),
  }));
  // 124 steps of a fixed seed on 2000 digits; chance is 10 %.
  assert.ok(float.trained > 80, stdout);
  assert.ok(w4a4.trained > float.trained - 5, stdout);
  assert.ok(w2a4.trained > w2a4.untrained && w2a4.trained > 70, stdout);
  // 4 and 2 bits of 32, with scales and float biases.
  assert.ok(w4a4.bytes < float.bytes / 7 && w2a4.bytes < float.bytes / 13, stdout);
  assert.match(stdout, /^done in \d+\.\d s$/m);
});

it("the example refuses an argument it does not know", () => {
  const { status, stderr } = run("--fast");
  assert.equal(status, 1);
  assert.equal(stderr.trim().split("\n").at(-1), 'plain-arrays: expected no argument or --quick, got "--fast"');
});
