import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { fashionMnist } from "../../examples/data/idx.js";

const script = fileURLToPath(new URL("../../examples/main-job.ts", import.meta.url));
const models = fileURLToPath(new URL("../../examples/models", import.meta.url));
const out = fileURLToPath(new URL("../../examples/out", import.meta.url));
const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ["--import", "tsx", script, ...args], { encoding: "utf8", timeout: 600_000 });

/** Markdown tables, row by row and cell by cell. */
function tablesOf(text: string): string[][][] {
  const tables = text.match(/(^\|.*\n)+/gm) ?? [];
  return tables.map((table) =>
    table
      .trimEnd()
      .split("\n")
      .map((line) => line.slice(1, -1).split("|"))
      .map((cells) => cells.map((cell) => cell.trim())),
  );
}

it("the main job, quickly: exit code 0 and tables with every model, in integers too", () => {
  const { status, stdout, stderr } = run("--quick");
  assert.equal(status, 0, stderr);
  const [[header, rule, ...models], integers] = tablesOf(stdout);
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
  checkIntegers(stdout, integers, trained);
  if (typeof fashion === "string") assert.ok(stdout.includes(`fashion-cnn: skipped, ${fashion}\n`), stdout);
  assert.match(stdout, /^done in \d+\.\d s; files in examples\/out$/m);
});

/** The table of models that ran in integers, the files it names, and verify's lines. */
function checkIntegers(stdout: string, [header, rule, ...rows]: string[][], trained: string): void {
  assert.deepEqual(header, [
    ...["model", "float", "simulated", "in integers", "file in examples/out", "size"],
    ...["session, per image", "tfjs float, one by one", "tfjs float, in hundreds"],
  ]);
  assert.ok(rule.every((cell) => /^-+$/.test(cell)));
  assert.deepEqual(
    rows.map(([name, , , , file]) => [name, file]),
    [
      ["mnist-cnn w8a8", "mnist-cnn-w8a8.tflite"],
      [`${trained} w4a8`, `${trained}-w4a8.tflite`],
      ["lenet 1-2-4", "lenet-1-2-4.tflite"],
    ],
  );
  for (const [name, float, simulated, integer, file, size, ...times] of rows) {
    const bytes = readFileSync(join(out, file));
    assert.equal(size, `${(bytes.length / 1024).toFixed(1)} KiB`);
    assert.equal(bytes.toString("latin1", 4, 8), "TFL3");
    // The model of the other examples is this file.
    if (name === "mnist-cnn w8a8") assert.ok(bytes.equals(readFileSync(join(models, file))), `${file} has changed`);
    const dorefa = name === "lenet 1-2-4"; // whose float twin is not trained
    assert.equal(float === "–", dorefa);
    assert.ok(
      [simulated, integer].every((share) => Number.parseFloat(share) > 80),
      stdout,
    );
    for (const time of times) assert.match(time, /^[1-9]\d* µs$/);
    const line = stdout.split("\n").find((line) => line.startsWith(`${name}: verify: `)) ?? "";
    const alone = dorefa
      ? /: 100 samples, rounding integer: \d+ of (\d+) codes differ.*, (\d+) of them where training rounded; end to end /
      : /: 100 samples, rounding integer: (?=\d+ of (\d+) )(\d+) of \d+ codes differs?(?:, by 1)?; end to end /;
    const [, codes, differing] = alone.exec(line) ?? [];
    assert.ok(Number(differing) / Number(codes) <= 1e-4, line);
  }
}

it("the main job refuses an argument it does not know", () => {
  const { status, stderr } = run("--fast");
  assert.equal(status, 1);
  assert.equal(stderr.trim().split("\n").at(-1), 'main-job: expected no argument or --quick, got "--fast"');
});
