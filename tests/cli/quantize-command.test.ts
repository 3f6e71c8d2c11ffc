import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  cpSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { quantizeSafetensors } from "../../src/arrays/quantize-safetensors.js";
import { quantizeTfjs } from "../../src/arrays/quantize-tfjs.js";
import { writeSafetensors } from "../../src/formats/safetensors/write-safetensors.js";
import { type ModelFiles, readTfjs, writeTfjs } from "../../src/formats/tfjs-model/files.js";
import { fileOf } from "../formats/safetensors/by-hand.js";
import { bitpress, CLI, inFolder, MNIST, pathsIn, words } from "./command-line.js";

before(() => assert.ok(existsSync(CLI), "expected dist/cli.js, got none; run npm run build"));

function sines(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(1 + i * i));
}

const SAFETENSORS = writeSafetensors({
  "conv.weight": { data: sines(4 * 27), shape: [4, 3, 3, 3] },
  "conv.bias": { data: sines(4), shape: [4] },
  "fc.weight": { data: sines(1024), shape: [64, 16] },
  steps: { data: BigInt64Array.of(12n), shape: [], dtype: "I64" },
});

/** A folder's files by name. */
function filesOf(folder: string): ModelFiles {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]),
  );
}

/** What quantizeSafetensors writes for SAFETENSORS. */
async function librarysFile(options: Parameters<typeof quantizeSafetensors>[2]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await quantizeSafetensors(SAFETENSORS, (part) => void parts.push(part.slice()), options);
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A tfjs model of one Dense layer, as files. */
function denseModel(kernel: Float32Array): ModelFiles {
  return writeTfjs({
    modelTopology: { class_name: "Sequential", config: [{ class_name: "Dense", config: { name: "fc" } }] },
    weightSpecs: [{ name: "fc/kernel", shape: [2, 2], dtype: "float32" }],
    weightData: kernel.slice().buffer as ArrayBuffer,
  });
}

/** The same model with another text in its model.json. */
function edited(files: ModelFiles, from: string, to: string): ModelFiles {
  const json = new TextDecoder().decode(files["model.json"]);
  assert.ok(json.includes(from));
  return { ...files, "model.json": new TextEncoder().encode(json.replace(from, to)) };
}

function writeFiles(folder: string, files: ModelFiles): void {
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
}

test("a tfjs folder becomes a folder beside it: the table, and exactly the library's files", () =>
  inFolder((folder) => {
    cpSync(MNIST, join(folder, "mnist"), { recursive: true });
    const { status, stdout, stderr } = bitpress(folder, "quantize", "mnist/");
    assert.deepEqual([status, stderr], [0, ""]);
    const lines = words(stdout);
    assert.deepEqual(lines.slice(0, 5), [
      "tensor shape bits before after SQNR",
      "conv1/kernel [3, 3, 1, 16] 8 576 B 240 B 48.0 dB",
      "conv1_bn/gamma [16] 32 64 B 64 B –",
      "conv1_bn/beta [16] 32 64 B 64 B –",
      "conv2/kernel [3, 3, 16, 32] 8 18.4 kB 4.80 kB 44.7 dB",
    ]);
    assert.equal(lines.at(-4), "total of 22 88.8 kB 24.3 kB");
    const small = filesOf(join(folder, "mnist-int8"));
    const [before, after] = [filesOf(MNIST), small].map((files) =>
      Object.values(files).reduce((sum, { length }) => sum + length, 0),
    );
    const [kB, percent] = [(after / 1000).toPrecision(3), ((100 * after) / before).toFixed(1)];
    assert.equal(lines.at(-2), `mnist-int8: 96.6 kB → ${kB} kB of files, ${percent} %`);
    assert.ok(after < 0.4 * before);
    assert.deepEqual(small, writeTfjs(quantizeTfjs(readTfjs(filesOf(MNIST))).artifacts));
    assert.deepEqual(readdirSync(folder).sort(), ["mnist", "mnist-int8"]);
  }));

test("model.json, bits, granularity and output", () =>
  inFolder((folder) => {
    const mnist = join(folder, "mnist");
    cpSync(MNIST, mnist, { recursive: true });
    const options = ["--bits=4", "--granularity", "perTensor", "model.json", "-o", "../small"];
    const { status, stdout } = bitpress(mnist, "quantize", ...options);
    assert.equal(status, 0);
    // tfjs stores a byte per code, whatever the bits; the scale is 4 more.
    assert.equal(words(stdout)[1], "conv1/kernel [3, 3, 1, 16] 4 576 B 148 B 20.4 dB");
    const { artifacts } = quantizeTfjs(readTfjs(filesOf(MNIST)), { bits: 4, granularity: "perTensor" });
    assert.deepEqual(filesOf(join(folder, "small")), writeTfjs(artifacts));
    assert.equal(bitpress(mnist, "quantize", "model.json", "--bits", "5").status, 0);
    assert.deepEqual(readdirSync(mnist).sort(), ["model-int5", "model.json", "weights.bin"]);
    assert.equal(bitpress(mnist, "quantize", ".").status, 0);
    assert.deepEqual(readdirSync(folder).sort(), ["mnist", "mnist-int8", "small"]);
  }));

test("safetensors: one file beside it, exactly the library's", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "a.safetensors"), SAFETENSORS);
    const { status, stdout, stderr } = bitpress(folder, "quantize", "a.safetensors");
    assert.deepEqual([status, stderr], [0, ""]);
    const lines = words(stdout);
    assert.deepEqual(lines.slice(0, 2), ["tensor shape bits before after SQNR", "steps [] 64 8 B 8 B –"]);
    assert.equal(lines[2], "conv.bias [4] 32 16 B 16 B –");
    assert.match(lines[3], /^conv\.weight \[4, 3, 3, 3\] 8 432 B 124 B \d\d\.\d dB$/);
    assert.match(lines[4], /^fc\.weight \[64, 16\] 8 4\.10 kB 1\.28 kB \d\d\.\d dB$/);
    assert.equal(lines[5], "total of 4 4.55 kB 1.43 kB");
    assert.match(lines[7], /^a-int8\.safetensors: \d\.\d\d kB → \d\.\d\d kB of files, \d\d\.\d %$/);
    assert.deepEqual(new Uint8Array(readFileSync(join(folder, "a-int8.safetensors"))), await librarysFile({}));

    const options = ["--bits", "4", "--granularity", "perTensor", "--layout", "tfjs", "-o", "b"];
    assert.equal(bitpress(folder, "quantize", "a.safetensors", ...options).status, 0);
    assert.deepEqual(
      new Uint8Array(readFileSync(join(folder, "b"))),
      await librarysFile({ bits: 4, granularity: "perTensor", layout: "tfjs" }),
    );
    assert.deepEqual(readdirSync(folder).sort(), ["a-int8.safetensors", "a.safetensors", "b"]);
  }));

test("--json prints one document and nothing else", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "a.safetensors"), SAFETENSORS);
    const { status, stdout, stderr } = bitpress(folder, "quantize", "a.safetensors", "--json", "--bits", "4");
    assert.deepEqual([status, stderr], [0, ""]);
    const report = await quantizeSafetensors(SAFETENSORS, () => {}, { bits: 4 });
    assert.deepEqual(JSON.parse(stdout), {
      input: "a.safetensors",
      output: "a-int4.safetensors",
      format: "safetensors",
      bits: 4,
      granularity: "perChannel",
      layout: "pytorch",
      fileBytesBefore: SAFETENSORS.length,
      fileBytesAfter: statSync(join(folder, "a-int4.safetensors")).size,
      ...report,
      tensors: report.tensors.map((row) => ({ ...row, sqnr: Number.isFinite(row.sqnr) ? row.sqnr : null })),
    });
    assert.equal(stdout.indexOf("\n"), stdout.length - 1);

    cpSync(MNIST, join(folder, "mnist"), { recursive: true });
    const tfjs = JSON.parse(bitpress(folder, "quantize", "mnist", "--json").stdout);
    assert.deepEqual(
      [tfjs.input, tfjs.output, tfjs.format, tfjs.tensors.length, "layout" in tfjs],
      [join("mnist", "model.json"), "mnist-int8", "tfjs", 22, false],
    );
  }));

test("an output is replaced with --force only; the input may be the output", () =>
  inFolder(async (folder) => {
    const file = join(folder, "a.safetensors");
    writeFileSync(file, SAFETENSORS);
    const refused = bitpress(folder, "quantize", "a.safetensors", "-o", "a.safetensors");
    assert.deepEqual(refused, {
      status: 1,
      stdout: "",
      stderr: 'bitpress: expected nothing at "a.safetensors" yet, got a file; pass --force to replace it\n',
    });
    assert.deepEqual(new Uint8Array(readFileSync(file)), SAFETENSORS);
    assert.equal(bitpress(folder, "quantize", "a.safetensors", "-o", "a.safetensors", "--force").status, 0);
    assert.deepEqual(new Uint8Array(readFileSync(file)), await librarysFile({}));

    cpSync(MNIST, join(folder, "mnist"), { recursive: true });
    assert.equal(bitpress(folder, "quantize", "mnist", "-o", "mnist", "--force").status, 0);
    assert.deepEqual(readdirSync(join(folder, "mnist")).sort(), ["group1-shard1of1.bin", "model.json"]);
    assert.deepEqual(readdirSync(folder).sort(), ["a.safetensors", "mnist"]);
  }));

describe("each fault is one line, and nothing is written", () => {
  const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });
  const huge = fileOf({}, 0);
  new DataView(huge.buffer).setBigUint64(0, 2n ** 40n, true);
  const nan = new Float32Array([1, 2, Number.NaN, 4]);
  const whole = denseModel(sines(4));
  const entry = '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

  const files: Readonly<Record<string, readonly [Uint8Array | ModelFiles, string]>> = {
    "product.safetensors": [
      fileOf({ w: f32([2, 3], 0, 16) }, 16),
      'quantizeSafetensors "w": expected 24 bytes for F32 [2,3], got data_offsets [0,16]',
    ],
    "nan.safetensors": [
      writeSafetensors({ "fc.weight": { data: nan, shape: [2, 2] } }),
      'quantizeSafetensors "fc.weight": expected finite values, got NaN at index 2',
    ],
    "dtype.safetensors": [
      fileOf({ w: { dtype: "F31", shape: [1], data_offsets: [0, 4] } }, 4),
      'quantizeSafetensors "w": expected a dtype (BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64), got "F31"',
    ],
    "truncated.safetensors": [
      SAFETENSORS.subarray(0, -1),
      'quantizeSafetensors "fc.weight": expected data_offsets within 4551 bytes of data, got [456,4552]; the file may be truncated',
    ],
    "short.safetensors": [
      Uint8Array.of(1, 0, 0),
      "quantizeSafetensors: expected 8 more bytes, got 3 before the source ended; it is truncated",
    ],
    "overlap.safetensors": [
      fileOf({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12),
      'quantizeSafetensors "b": expected data that begins at 8, where the tensor before it ends, got 4: an overlap',
    ],
    "huge.safetensors": [
      huge,
      "quantizeSafetensors: expected a header of at most 100000000 bytes, got a length of 1099511627776",
    ],
    "twice.safetensors": [
      fileOf(`{${entry},${entry}}`, 4),
      'quantizeSafetensors, header: expected each key once, got "a" twice',
    ],
    "empty.safetensors": [fileOf({}), "quantizeSafetensors: expected at least one tensor, got none"],
    "nan-tfjs": [denseModel(nan), 'quantizeTfjs: "fc/kernel": expected finite values, got NaN at index 2'],
    "product-tfjs": [edited(whole, "[2,2]", "[2,3]"), 'tfjs model: expected 24 bytes for "fc/kernel" [2, 3], got 16'],
    "empty-tfjs": [
      writeTfjs({ modelTopology: { class_name: "Sequential", config: [] } }),
      "quantizeTfjs: expected a model with weights of rank ≥ 2, got none among 0 weights",
    ],
    "shard-tfjs": [
      { "model.json": whole["model.json"] },
      `expected a file at "${join("shard-tfjs", "group1-shard1of1.bin")}", got none`,
    ],
    "cut-tfjs": [
      { ...whole, "group1-shard1of1.bin": new Uint8Array(15) },
      'tfjs model: expected 16 bytes for "fc/kernel" [2, 2], got 15',
    ],
    "dtype-tfjs": [
      edited(whole, '"float32"', '"float64"'),
      'tfjs model: expected a dtype for "fc/kernel", got "float64"',
    ],
    "json-tfjs": [{ "model.json": new TextEncoder().encode("[]") }, "tfjs model.json: expected an object, got a list"],
    "no-model": [{}, `expected a file at "${join("no-model", "model.json")}", got none`],
  };
  for (const [name, [content, message]] of Object.entries(files)) {
    test(`${name}: ${message}`, () =>
      inFolder((folder) => {
        if (content instanceof Uint8Array) writeFileSync(join(folder, name), content);
        else writeFiles(join(folder, name), content);
        const before = pathsIn(folder);
        assert.deepEqual(bitpress(folder, "quantize", name), {
          status: 1,
          stdout: "",
          stderr: `bitpress: ${message}\n`,
        });
        assert.deepEqual(pathsIn(folder), before);
      }));
  }

  test("a failure with --force leaves the old output", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "nan.safetensors"), files["nan.safetensors"][0] as Uint8Array);
      writeFileSync(join(folder, "out"), "old");
      assert.equal(bitpress(folder, "quantize", "nan.safetensors", "-o", "out", "--force").status, 1);
      assert.equal(readFileSync(join(folder, "out"), "utf8"), "old");
      assert.deepEqual(pathsIn(folder), ["nan.safetensors", "out"]);
    }));

  test("missing files and folders", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "a.safetensors"), SAFETENSORS);
      for (const [args, message] of [
        [["x.safetensors"], 'expected a file at "x.safetensors", got none'],
        [["a.safetensors/model.json"], 'expected a file at "a.safetensors/model.json", got none'],
        [["a.safetensors", "-o", "no/out"], 'expected a folder "no", got none'],
      ] as const) {
        assert.deepEqual(bitpress(folder, "quantize", ...args), {
          status: 1,
          stdout: "",
          stderr: `bitpress: ${message}\n`,
        });
      }
      assert.deepEqual(pathsIn(folder), ["a.safetensors"]);
    }));
});

test("wrong usage: exit code 2, one line, nothing written", () =>
  inFolder((folder) => {
    writeFileSync(join(folder, "a.safetensors"), SAFETENSORS);
    writeFileSync(join(folder, "a.pt"), "");
    writeFiles(join(folder, "m"), denseModel(sines(4)));
    const before = pathsIn(folder);
    for (const [args, message] of [
      [[], "expected the path of a model, got none"],
      [["a.pt", "m"], 'expected the path of one model, got 2: "a.pt", "m"'],
      [["a.pt"], 'expected a model.json, a folder that holds one, or a .safetensors file, got "a.pt"'],
      [["a.safetensors", "--bits", "9"], 'expected --bits as one of 2, 3, 4, 5, 6, 7, 8, got "9"'],
      [
        ["a.safetensors", "--granularity", "perchannel"],
        'expected --granularity as one of perChannel, perTensor, got "perchannel"',
      ],
      [
        ["a.safetensors", "--jsn"],
        'expected an option among --json, --bits, --help, --force, --layout, --output, --granularity, got "--jsn"',
      ],
      [
        ["m", "--layout", "tfjs"],
        "expected --layout with a .safetensors file only, got a tfjs model, whose layout is known",
      ],
      [["m", "-o", "small.json"], 'expected a folder as --output for a tfjs model, got "small.json"'],
    ] as const) {
      assert.deepEqual(bitpress(folder, "quantize", ...args), {
        status: 2,
        stdout: "",
        stderr: `bitpress: ${message}; see bitpress quantize --help\n`,
      });
    }
    assert.deepEqual(pathsIn(folder), before);
  }));

describe("killed in the middle of 1 GiB", { skip: process.platform === "win32" && "Windows has no signals" }, () => {
  // Sparse: its zeros take no room on the disk.
  function writeBigModel(path: string): void {
    const size = 4 * 2 ** 20;
    const entries = Array.from({ length: 256 }, (_, i) => [
      `layer${i}.weight`,
      { dtype: "F32", shape: [1024, 1024], data_offsets: [i * size, (i + 1) * size] },
    ]);
    const head = fileOf(Object.fromEntries(entries));
    const file = openSync(path, "w");
    writeSync(file, head);
    ftruncateSync(file, head.length + 256 * size);
    closeSync(file);
  }

  /** Starts a run and sends it a signal once a few tensors are written; returns how it ended. */
  async function kill(folder: string, signal: NodeJS.Signals): Promise<unknown[]> {
    writeBigModel(join(folder, "big.safetensors"));
    const child = spawn(process.execPath, [CLI, "quantize", "big.safetensors"], { cwd: folder, stdio: "ignore" });
    const exit = once(child, "exit");
    const halfWritten = (): boolean =>
      readdirSync(folder).some((name) => name.endsWith(".partial") && statSync(join(folder, name)).size > 3 * 2 ** 20);
    while (child.exitCode === null && !halfWritten()) await wait(5);
    child.kill(signal);
    return exit;
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal}: nothing is left`, () =>
      inFolder(async (folder) => {
        assert.deepEqual(await kill(folder, signal), [null, signal]);
        assert.deepEqual(pathsIn(folder), ["big.safetensors"]);
      }));
  }

  test("SIGKILL: what is left is named as partial, and the next run is not in its way", () =>
    inFolder(async (folder) => {
      assert.deepEqual(await kill(folder, "SIGKILL"), [null, "SIGKILL"]);
      const [partial, ...others] = pathsIn(folder);
      assert.match(partial, /^big-int8\.safetensors\.[0-9a-f]{8}\.partial$/);
      assert.deepEqual(others, ["big.safetensors"]);
      writeFileSync(join(folder, "big.safetensors"), SAFETENSORS);
      assert.equal(bitpress(folder, "quantize", "big.safetensors").status, 0);
      assert.deepEqual(pathsIn(folder), ["big-int8.safetensors", partial, "big.safetensors"]);
    }));
});
