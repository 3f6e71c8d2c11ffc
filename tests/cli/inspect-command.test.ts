import assert from "node:assert/strict";
import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspectTfjs } from "../../src/arrays/inspect-tfjs.js";
import { writeSafetensors } from "../../src/formats/safetensors/write-safetensors.js";
import { readTfjs } from "../../src/formats/tfjs-model/files.js";
import { fileOf } from "../formats/safetensors/by-hand.js";
import { bitpress, inFolder, MNIST, pathsIn, words } from "./command-line.js";

test("a float tfjs model: what is stored, its values, and what int8 would do to its weights", () => {
  const { status, stdout, stderr } = bitpress(MNIST, "inspect", ".");
  assert.deepEqual([status, stderr], [0, ""]);
  const lines = stdout.split("\n");
  assert.deepEqual(lines.slice(0, 3), [
    "tensor                    shape           dtype    bits    bytes  scale  step  int8 SQNR      min  values            max",
    "conv1/kernel              [3, 3, 1, 16]   float32    32    576 B      –     –    48.0 dB   -0.933  ▂▂▃▅▆▅▇██▇▆▅▇▅▃▄  0.866",
    "conv1_bn/gamma            [16]            float32    32     64 B      –     –          –    0.884  ▂▂  ▂█ ▂ ▆▄  ▄ ▂  1.12",
  ]);
  assert.deepEqual(words(stdout).slice(-4), ["total of 22 88.8 kB", "", "model.json: 96.6 kB of files", ""]);
});

test("quantized tfjs models: real scales and values in both forms", () =>
  inFolder((folder) => {
    assert.equal(bitpress(folder, "quantize", MNIST, "-o", "channels").status, 0);
    const perChannel = words(bitpress(folder, "inspect", "channels").stdout);
    assert.match(
      perChannel[1],
      /^conv1\/kernel \[3, 3, 1, 16\] uint8 8 144 B 0\.00303…0\.00735 0\.\d+ % – -0\.933 .{16} 0\.866$/,
    );
    assert.match(perChannel[2], /^conv1_scale\/gamma \[16\] float32 32 64 B – – – 0\.00303 .* 0\.00735$/);
    assert.equal(
      bitpress(folder, "quantize", MNIST, "-o", "tensor", "--granularity", "perTensor", "--bits", "4").status,
      0,
    );
    const perTensor = words(bitpress(folder, "inspect", join("tensor", "model.json")).stdout);
    // 13 steps of 0.133 between the smallest and the largest value.
    assert.match(perTensor[1], /^conv1\/kernel \[3, 3, 1, 16\] uint8 4 144 B 0\.133 7\.69 % – -0\.933 .{16} 0\.8$/);
  }));

test("safetensors, float and quantized here: scales in the weight's row, padding not shown", () =>
  inFolder((folder) => {
    const data = Float32Array.of(-3, -2, -1, 0, 1, 2, 3, 3, 3);
    const file = writeSafetensors({
      "fc.weight": { data, shape: [1, 9] },
      "fc.bias": { data: Float32Array.of(0.5, Number.NaN, Number.POSITIVE_INFINITY), shape: [3] },
      steps: { data: BigInt64Array.of(-5n, 10n), shape: [2], dtype: "I64" },
      mask: { data: Uint8Array.of(1, 0), shape: [2], dtype: "BOOL" },
      none: { data: new Float32Array(0), shape: [0, 4] },
    });
    writeFileSync(join(folder, "a.safetensors"), file);
    const before = bitpress(folder, "inspect", "a.safetensors");
    assert.deepEqual([before.status, before.stderr], [0, ""]);
    assert.deepEqual(words(before.stdout), [
      "tensor shape dtype bits bytes scale step int8 SQNR min values max",
      "steps [2] I64 64 16 B – – – -5 █ █ 10",
      "fc.bias [3] F32 32 12 B – – – 0.5 █ 0.5",
      "fc.weight [1, 9] F32 32 36 B – – SQNR -3 ▃ ▃ ▃ ▃ ▃ ▃ █ 3".replace("SQNR", sqnrOf(data)),
      "none [0, 4] F32 32 0 B – – – – – –",
      "mask [2] BOOL 8 2 B – – – 0 █ █ 1",
      "total of 5 66 B",
      "",
      '"fc.bias" holds 2 NaN or infinite values, the first at index 1',
      `a.safetensors: ${file.length} B of files`,
      "",
    ]);
    assert.equal(bitpress(folder, "quantize", "a.safetensors", "--bits", "3").status, 0);
    const after = words(bitpress(folder, "inspect", "a-int3.safetensors").stdout);
    // 7 codes from -3 to 3, a byte each, and a scale of 4 bytes: one sixth of the range.
    assert.equal(after[3], "fc.weight [1, 9] I8 3 13 B 1 16.7 % – -3 ▃ ▃ ▃ ▃ ▃ ▃ █ 3");
    assert.equal(after[6], "total of 5 43 B");
  }));

/** 10·log10(Σx² / Σ(x − x̂)²) on the grid of 127 steps, by hand. */
function sqnrOf(x: Float32Array): string {
  const scale = Math.fround(Math.max(...x.map(Math.abs)) / 127);
  let [signal, noise] = [0, 0];
  for (const value of x) {
    signal += value ** 2;
    noise += (value - Math.fround(Math.round(value / scale) * scale)) ** 2;
  }
  return `${(10 * Math.log10(signal / noise)).toFixed(1)} dB`;
}

test("--json: one document with everything inspectTfjs finds", () => {
  const { status, stdout, stderr } = bitpress(MNIST, "inspect", "model.json", "--json");
  assert.deepEqual([status, stderr], [0, ""]);
  const files = {
    "model.json": readFileSync(join(MNIST, "model.json")),
    "weights.bin": readFileSync(join(MNIST, "weights.bin")),
  };
  const document = JSON.parse(stdout);
  assert.deepEqual(document, {
    file: "model.json",
    format: "tfjs",
    fileBytes: files["model.json"].length + files["weights.bin"].length,
    bytes: files["weights.bin"].length,
    tensors: inspectTfjs(readTfjs(files)),
  });
  assert.equal(stdout.indexOf("\n"), stdout.length - 1);
});

test("--json: Infinity and NaN are null", () =>
  inFolder((folder) => {
    writeFileSync(
      join(folder, "a.safetensors"),
      writeSafetensors({
        exact: { data: Float32Array.of(127, 1), shape: [1, 2] },
        nothing: { data: Float32Array.of(Number.NaN), shape: [1] },
      }),
    );
    const { tensors } = JSON.parse(bitpress(folder, "inspect", "a.safetensors", "--json").stdout);
    assert.equal(tensors[0].int8Sqnr, null);
    assert.deepEqual([tensors[1].values.min, tensors[1].values.nonFinite], [null, 1]);
    assert.match(bitpress(folder, "inspect", "a.safetensors").stdout, /^exact .* exact /m);
  }));

test("a file larger than the memory it is given", () =>
  inFolder((folder) => {
    // 400 MB of zeros, sparse on the disk, tensors of 4 MB; array buffers are no part of V8's heap limit, so the peak is asked.
    const [count, size] = [100, 4_000_000];
    const entries = Array.from({ length: count }, (_, i) => [
      `layer${i}`,
      { dtype: "F32", shape: [1000, 1000], data_offsets: [i * size, (i + 1) * size] },
    ]);
    const head = fileOf(Object.fromEntries(entries));
    const file = openSync(join(folder, "big.safetensors"), "w");
    writeSync(file, head);
    ftruncateSync(file, head.length + count * size);
    closeSync(file);
    const { status, stdout } = bitpress(folder, "inspect", "big.safetensors");
    assert.equal(status, 0);
    assert.equal(words(stdout).at(-4), "total of 100 400 MB");
    assert.equal(statSync(join(folder, "big.safetensors")).size, head.length + count * size);
    assert.deepEqual(pathsIn(folder), ["big.safetensors"]);
  }));

test("faults are one line, exit code 1", () =>
  inFolder((folder) => {
    writeFileSync(join(folder, "a.safetensors"), fileOf({ w: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 3));
    writeFileSync(join(folder, "b.json"), "{}");
    for (const [path, message] of [
      [
        "a.safetensors",
        'inspectSafetensors "w": expected data_offsets within 3 bytes of data, got [0,4]; the file may be truncated',
      ],
      ["b.json", 'tfjs model.json: expected "modelTopology" as an object, got nothing'],
      ["c.safetensors", 'expected a file at "c.safetensors", got none'],
    ]) {
      assert.deepEqual(bitpress(folder, "inspect", path), { status: 1, stdout: "", stderr: `bitpress: ${message}\n` });
    }
  }));
