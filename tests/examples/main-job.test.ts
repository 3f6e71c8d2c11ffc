import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { fashionMnist } from "../../examples/data/idx.js";

const script = fileURLToPath(new URL("../../examples/main-job.ts", import.meta.url));
const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ["--import", "tsx", script, ...args], { encoding: "utf8", timeout: 120_000 });

it("the main job, quickly: exit code 0 and a table with every model", () => {
  const { status, stdout, stderr } = run("--quick");
  assert.equal(status, 0, stderr);
  const rows = stdout
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "));
  const [header, rule, ...models] = rows.map((cells) => cells.map((cell) => cell.trim()));
  assert.deepEqual(header, ["model", "float32", "quantized", "ratio", "weight files", "lowest SQNR", "result"]);
  assert.ok(rule.every((cell) => /^-+$/.test(cell)));
  const fashion = fashionMnist("t10k");
  assert.deepEqual(
    models.map(([name]) => name),
    ["mnist-cnn", ...(typeof fashion === "string" ? [] : ["fashion-cnn"]), "mobilenet-v2", "lenet 1-2-4"],
  );
  const [, float, small, ratio, files, sqnr, result] = models[models.length - 1];
  // 78 336 weights of 1 bit, stored in 2, a scale for each of their two layers, and 2 394 values in float.
  assert.deepEqual([float, small, ratio, files, sqnr], ["315.4 KiB", "28.5 KiB", "11.07x", "–", "–"]);
  assert.match(result, /^top-1 \d+\.\d\d % after 1920 images of training \(1000 images\)$/);
  for (const [name, , , ratio, , sqnr, result] of models.slice(0, -1)) {
    assert.ok(Number.parseFloat(ratio) > 3.5 && Number.parseFloat(ratio) < 4, `${name}: ${ratio}`);
    assert.ok(Number.parseFloat(sqnr) > 30, `${name}: ${sqnr}`);
    assert.match(
      result,
      name === "mobilenet-v2" ? /^top-1 agrees on \d of 8 photo crops, / : /^top-1 .* \(1000 images\)$/,
    );
  }
  const trained = typeof fashion === "string" ? "mnist-cnn" : "fashion-cnn";
  const percent = String.raw`\d+\.\d\d %`;
  assert.match(
    stdout,
    new RegExp(
      `^${trained}, 4-bit weights: float ${percent}, calibrated ${percent}, trained on 640 images ${percent} `,
      "m",
    ),
  );
  if (typeof fashion === "string") assert.ok(stdout.includes(`fashion-cnn: skipped, ${fashion}\n`), stdout);
  assert.match(stdout, /^done in \d+\.\d s; files in examples\/out$/m);
});

it("the main job refuses an argument it does not know", () => {
  const { status, stderr } = run("--fast");
  assert.equal(status, 1);
  assert.equal(stderr.trim().split("\n").at(-1), 'main-job: expected no argument or --quick, got "--fast"');
});
