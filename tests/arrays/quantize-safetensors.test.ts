import assert from "node:assert/strict";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { quantizeSafetensors } from "../../src/arrays/quantize-safetensors.js";
import { decodeBfloat16, decodeFloat16 } from "../../src/core/float16.js";
import type { QuantizedTensor } from "../../src/core/tensor.js";
import { readSafetensors } from "../../src/formats/safetensors/read-safetensors.js";
import type { SafetensorsSink } from "../../src/formats/safetensors/sink.js";
import type { SafetensorsSource } from "../../src/formats/safetensors/source.js";
import { writeSafetensors } from "../../src/formats/safetensors/write-safetensors.js";
import { quantizeWeight } from "../../src/quantizers/quantize-weight.js";
import { dequantize } from "../../src/wasm/dequantize.js";
import { decodeByHand, dequantizeByHand, fileOf, headerOf } from "../formats/safetensors/by-hand.js";

const MiB = 2 ** 20;

function sines(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(1 + i * i));
}

/** A small model: odd sizes, a float bias, a counter, an empty tensor. */
const MODEL = writeSafetensors(
  {
    "conv.weight": { data: sines(3 * 27), shape: [3, 3, 3, 3] },
    "conv.bias": { data: sines(3), shape: [3] },
    "bn.steps": { data: BigInt64Array.of(12n), shape: [], dtype: "I64" },
    "fc.weight": { data: sines(15), shape: [5, 3] },
    "fc.empty": { data: new Float32Array(0), shape: [0, 3] },
    mask: { data: Uint8Array.of(1, 0, 1), shape: [3], dtype: "BOOL" },
  },
  { metadata: { format: "pt" } },
);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

async function quantized(source: SafetensorsSource, options = {}): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await quantizeSafetensors(source, (part) => void parts.push(part), options);
  return joined(parts);
}

function streamOf(file: Uint8Array, chunkBytes: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(file.slice(at, at + chunkBytes));
      at += chunkBytes;
      if (at >= file.length) controller.close();
    },
  });
}

/** Runs `use` in a folder that is removed afterwards. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bitpress-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("weights are quantized as quantizeWeight does, everything else is copied", async () => {
  const file = await quantized(MODEL);
  const { tensors, metadata } = readSafetensors(file);
  const before = readSafetensors(MODEL).tensors;
  const grid = { bits: 8, granularity: "perChannel", axis: 0 } as const;
  assert.deepEqual(tensors, {
    ...before,
    "conv.weight": quantizeWeight("", before["conv.weight"] as never, grid),
    "fc.weight": quantizeWeight("", before["fc.weight"] as never, grid),
  });
  assert.deepEqual(metadata, { format: "pt" });
  const { data, shape, params } = tensors["conv.weight"] as QuantizedTensor;
  assert.deepEqual(dequantizeByHand(file, "conv.weight"), [...dequantize(data, params, { shape })]);
});

test("the file is the same whatever the source", async () => {
  const expected = await quantized(MODEL);
  const buffer = new Uint8Array(MODEL).buffer;
  const sources: [string, SafetensorsSource][] = [
    ["ArrayBuffer", buffer],
    ["Blob", new Blob([buffer])],
    [
      "slices",
      { size: MODEL.length, slice: (a: number, b: number) => ({ arrayBuffer: async () => buffer.slice(a, b) }) },
    ],
    ...[1, 7, 64, 1000].map((n): [string, SafetensorsSource] => [`stream of ${n}`, streamOf(MODEL, n)]),
    ["stream of one chunk", streamOf(MODEL, MODEL.length)],
  ];
  for (const [name, source] of sources) assert.deepEqual(await quantized(source), expected, name);
  await inFolder(async (folder) => {
    await writeFile(join(folder, "in"), MODEL);
    const handle = await open(join(folder, "in"));
    assert.deepEqual(await quantized(handle), expected, "FileHandle");
    await handle.close(); // still open: it is the caller's
  });
});

test("the file is the same whatever the sink", async () => {
  const expected = await quantized(MODEL);
  const parts: Uint8Array[] = [];
  let closed = false;
  const stream = new WritableStream<Uint8Array>({
    write: (part) => void parts.push(part),
    close: () => {
      closed = true;
    },
  });
  await quantizeSafetensors(MODEL, stream);
  assert.deepEqual([joined(parts), closed], [expected, true]);
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    await writeFile(path, new Uint8Array(expected.length + 5000).fill(7)); // longer than what is written over it
    const handle = await open(path, "r+");
    await quantizeSafetensors(MODEL, handle);
    await handle.close();
    assert.deepEqual(new Uint8Array(await readFile(path)), expected);
  });
});

test("F16, BF16 and F64 weights are quantized from their float32 values", async () => {
  const halves = Uint16Array.from({ length: 12 }, (_, i) => 0x3800 + 331 * i);
  const doubles = Float64Array.from({ length: 12 }, (_, i) => Math.cos(i));
  const data = new Uint8Array([
    ...new Uint8Array(doubles.buffer),
    ...new Uint8Array(halves.buffer),
    ...new Uint8Array(halves.buffer),
  ]);
  const file = fileOf(
    {
      d: { dtype: "F64", shape: [3, 4], data_offsets: [0, 96] },
      h: { dtype: "F16", shape: [3, 4], data_offsets: [96, 120] },
      b: { dtype: "BF16", shape: [3, 4], data_offsets: [120, 144] },
    },
    data,
  );
  const parts: Uint8Array[] = [];
  const report = await quantizeSafetensors(file, (part) => void parts.push(part));
  const grid = { bits: 8, granularity: "perChannel", axis: 0 } as const;
  const shape = [3, 4];
  assert.deepEqual(readSafetensors(joined(parts)).tensors, {
    d: quantizeWeight("", { data: new Float32Array(doubles), shape }, grid),
    h: quantizeWeight("", { data: decodeFloat16(halves), shape }, grid),
    b: quantizeWeight("", { data: decodeBfloat16(halves), shape }, grid),
  });
  assert.deepEqual(
    report.tensors.map(({ name, bytesBefore, bytesAfter }) => [name, bytesBefore, bytesAfter]),
    [
      ["d", 96, 24],
      ["h", 24, 24],
      ["b", 24, 24],
    ],
  );
});

test("bits, granularity and layout", async () => {
  const read = async (options: object) =>
    readSafetensors(await quantized(MODEL, options)).tensors["fc.weight"] as QuantizedTensor;
  const fc = readSafetensors(MODEL).tensors["fc.weight"] as never;
  assert.deepEqual(await read({ bits: 4 }), quantizeWeight("", fc, { bits: 4, granularity: "perChannel", axis: 0 }));
  assert.deepEqual(
    await read({ layout: "tfjs" }),
    quantizeWeight("", fc, { bits: 8, granularity: "perChannel", axis: 1 }),
  );
  assert.deepEqual(
    await read({ bits: 2, granularity: "perTensor" }),
    quantizeWeight("", fc, { bits: 2, granularity: "perTensor", axis: 0 }),
  );
});

test("a depthwise kernel of tfjs keeps its shape in the file and has a scale per output channel", async () => {
  const data = sines(2 * 2 * 3 * 2);
  const model = writeSafetensors({ "dw/depthwise_kernel": { data, shape: [2, 2, 3, 2] } });
  const file = await quantized(model, { layout: "tfjs" });
  assert.deepEqual(decodeByHand(file).get("dw/depthwise_kernel")?.shape, [2, 2, 3, 2]);
  assert.deepEqual(readSafetensors(file).tensors, {
    "dw/depthwise_kernel": quantizeWeight(
      "",
      { data, shape: [2, 2, 1, 6] },
      { bits: 8, granularity: "perChannel", axis: 3 },
    ),
  });
});

test("a config list decides layer by layer", async () => {
  const configList = [{ quant_types: ["weight"], quant_bits: 8, op_names: ["fc"], axis: 1 }] as const;
  const { tensors } = readSafetensors(await quantized(MODEL, { configList }));
  const before = readSafetensors(MODEL).tensors;
  assert.deepEqual(
    tensors["fc.weight"],
    quantizeWeight("", before["fc.weight"] as never, { bits: 8, granularity: "perChannel", axis: 1 }),
  );
  assert.deepEqual(tensors["conv.weight"], before["conv.weight"]);
});

test("a config list and bits beside it are an error, and so is a layer that is not there", async () => {
  const configList = [{ quant_types: ["weight"], quant_bits: 8, op_names: ["fx"] }] as const;
  await assert.rejects(
    quantizeSafetensors(MODEL, () => {}, { configList, bits: 4 }),
    {
      name: "TypeError",
      message: "quantizeSafetensors: expected configList or bits and granularity, got both",
    },
  );
  await assert.rejects(
    quantizeSafetensors(MODEL, () => {}, { configList }),
    {
      code: "invalid-config",
      message:
        'quantizeSafetensors: config entry 0, "op_names": expected names of layers ("fc", "bn", "conv", "mask"), got "fx"',
    },
  );
});

test("the report counts every tensor, progress every byte", async () => {
  const progress: unknown[] = [];
  const report = await quantizeSafetensors(MODEL, () => {}, { bits: 4, onProgress: (p) => void progress.push(p) });
  assert.deepEqual(
    report.tensors.map(({ sqnr, scales, shape, ...rest }) => ({ ...rest, lossy: Number.isFinite(sqnr) })),
    [
      { name: "bn.steps", bits: 64, bytesBefore: 8, bytesAfter: 8, lossy: false },
      { name: "conv.bias", bits: 32, bytesBefore: 12, bytesAfter: 12, lossy: false },
      { name: "conv.weight", bits: 4, granularity: "perChannel", bytesBefore: 324, bytesAfter: 53, lossy: true },
      { name: "fc.empty", bits: 32, bytesBefore: 0, bytesAfter: 0, lossy: false },
      { name: "fc.weight", bits: 4, granularity: "perChannel", bytesBefore: 60, bytesAfter: 28, lossy: true },
      { name: "mask", bits: 8, bytesBefore: 3, bytesAfter: 3, lossy: false },
    ],
  );
  assert.deepEqual([report.bytesBefore, report.bytesAfter], [407, 104]);
  assert.deepEqual(progress, [
    { name: "bn.steps", done: 8, total: 407 },
    { name: "conv.bias", done: 20, total: 407 },
    { name: "conv.weight", done: 344, total: 407 },
    { name: "fc.empty", done: 344, total: 407 },
    { name: "fc.weight", done: 404, total: 407 },
    { name: "mask", done: 407, total: 407 },
  ]);
});

const SIZES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  I16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  C64: 8,
} as const;

test("whatever the source's order and alignment, the output is aligned and complete, with padding only where needed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          dtype: fc.constantFrom(...(Object.keys(SIZES) as (keyof typeof SIZES)[])),
          shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        }),
        { minLength: 1, maxLength: 8 },
      ),
      fc.constantFrom(2, 3, 4, 8),
      fc.integer({ min: 1, max: 50 }),
      async (list, bits, chunkBytes) => {
        let end = 0;
        const header: Record<string, { dtype: string; shape: number[]; data_offsets: number[] }> = {};
        list.forEach(({ dtype, shape }, i) => {
          const begin = end;
          end += SIZES[dtype] * shape.reduce((a, b) => a * b, 1);
          header[i === 0 ? "bitpress.padding.0" : `t${i}`] = { dtype, shape, data_offsets: [begin, end] };
        });
        const source = fileOf(
          header,
          Uint8Array.from({ length: end }, (_, i) => (i * 37) % 61),
        ); // finite in every dtype
        const output = await quantized(streamOf(source, chunkBytes), { bits });
        const { header: written, dataStart } = headerOf(output);
        const { __metadata__, ...rest } = written as Record<
          string,
          { dtype: keyof typeof SIZES; shape: number[]; data_offsets: number[] }
        >;
        const quantization = JSON.parse(
          (__metadata__ as unknown as Record<string, string>)?.quantization ?? '{"tensors":{}}',
        );
        const padding = new Set<string>(quantization.padding ?? []);
        let at = 0;
        let misaligned = 0;
        const entries = Object.entries(rest).sort(
          ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
        );
        for (const [name, { dtype, data_offsets, shape }] of entries) {
          assert.equal(data_offsets[0], at, `${name} begins where the one before it ends`);
          at = data_offsets[1];
          if (padding.has(name)) {
            assert.equal(misaligned, 0, "no two in a row");
            misaligned = at - data_offsets[0];
            assert.ok(dtype === "U8" && misaligned >= 1 && misaligned <= 7 && shape[0] === misaligned);
            continue;
          }
          assert.equal((dataStart + data_offsets[0]) % SIZES[dtype], 0, `${name} is aligned`);
          if (misaligned > 0) {
            assert.notEqual((data_offsets[0] - misaligned) % SIZES[dtype], 0, `${name} needed the padding before it`);
            assert.ok(misaligned < SIZES[dtype], "and not a byte more");
          }
          misaligned = 0;
          if (header[name] !== undefined && quantization.tensors[name] === undefined) {
            const [from, to] = header[name].data_offsets;
            const sourceStart = headerOf(source).dataStart;
            assert.deepEqual(
              output.subarray(dataStart + data_offsets[0], dataStart + at),
              source.subarray(sourceStart + from, sourceStart + to),
            );
            assert.deepEqual([dtype, shape], [header[name].dtype, header[name].shape]);
          }
        }
        assert.equal(misaligned, 0, "no padding at the end");
        assert.equal(dataStart + at, output.length);
        for (const [name, { dtype, shape }] of Object.entries(header)) {
          const isWeight = ["F16", "BF16", "F32", "F64"].includes(dtype) && shape.length > 1 && !shape.includes(0);
          assert.equal(quantization.tensors[name] !== undefined, isWeight, name);
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** The header of `count` weights [1024, 1024], and the size of their file. */
function hugeModel(count: number): { head: Uint8Array; size: number } {
  const head = fileOf(
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `layers.${i}.weight`,
        { dtype: "F32", shape: [1024, 1024], data_offsets: [i * 4 * MiB, (i + 1) * 4 * MiB] },
      ]),
    ),
  );
  return { head, size: head.length + count * 4 * MiB };
}

test("256 MiB through a stream need memory for one weight at a time", async () => {
  const { head, size } = hugeModel(64);
  const block = new Uint8Array(sines(MiB / 4).buffer);
  await quantized(MODEL); // loads the kernels
  let sent = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent === size) return controller.close();
      const chunk = sent === 0 ? head : block.slice();
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const base = process.memoryUsage();
  let written = 0;
  let rss = 0;
  let heap = 0;
  const report = await quantizeSafetensors(source, (part) => {
    written += part.length;
    const now = process.memoryUsage();
    rss = Math.max(rss, now.rss - base.rss);
    heap = Math.max(heap, now.heapUsed + now.arrayBuffers - base.heapUsed - base.arrayBuffers);
  });
  assert.equal(sent, size);
  assert.equal(report.bytesAfter, 64 * (MiB + 4096));
  assert.ok(written > report.bytesAfter && written < report.bytesAfter + 65536);
  // Measured 35 to 55 MiB, a good part of it garbage that was not collected yet.
  assert.ok(rss < 96 * MiB, `rss grew by ${(rss / MiB).toFixed(1)} MiB`);
  assert.ok(heap < 96 * MiB, `heap and buffers grew by ${(heap / MiB).toFixed(1)} MiB`);
});

test("a random-access source is asked for one weight at a time, front to back and once", async () => {
  const { head, size } = hugeModel(8);
  const weights = new Uint8Array(sines(MiB).buffer);
  const asked: [number, number][] = [];
  const source = {
    size,
    slice: (begin: number, end: number) => {
      asked.push([begin, end]);
      const bytes = begin < head.length ? head.slice(begin, end) : weights.slice(0, end - begin);
      return { arrayBuffer: async () => bytes.buffer as ArrayBuffer };
    },
  };
  await quantizeSafetensors(source, () => {});
  assert.deepEqual(asked, [
    [0, 8],
    [8, head.length],
    ...Array.from({ length: 8 }, (_, i) => [head.length + i * 4 * MiB, head.length + (i + 1) * 4 * MiB]),
  ]);
});

test("an untouched tensor larger than memory should hold is copied in parts", async () => {
  const data = new Uint8Array(9 * MiB + 3).map((_, i) => i % 251);
  const parts: Uint8Array[] = [];
  await quantizeSafetensors(
    writeSafetensors({ table: { data, shape: [data.length], dtype: "U8" } }),
    (part) => void parts.push(part),
  );
  assert.deepEqual(
    parts.slice(1).map(({ length }) => length),
    [4 * MiB, 4 * MiB, MiB + 3],
  );
  assert.ok(Buffer.from(parts[3]).equals(data.subarray(8 * MiB)));
});

test("each part waits for the one before it", async () => {
  let inFlight = 0;
  let most = 0;
  const sink = async () => {
    most = Math.max(most, ++inFlight);
    await new Promise((resolve) => setImmediate(resolve));
    inFlight--;
  };
  await quantizeSafetensors(MODEL, sink);
  assert.deepEqual([most, inFlight], [1, 0]);
});

/** A sink that records everything. */
function recorder(): { sink: WritableStream<Uint8Array>; parts: Uint8Array[]; events: string[] } {
  const parts: Uint8Array[] = [];
  const events: string[] = [];
  const sink = new WritableStream<Uint8Array>({
    write: (part) => void parts.push(part),
    close: () => void events.push("closed"),
    abort: (reason: Error) => void events.push(`aborted: ${reason.message}`),
  });
  return { sink, parts, events };
}

function nanModel(): Uint8Array {
  const data = sines(15);
  data[7] = Number.NaN;
  return writeSafetensors({ a: { data: sines(6), shape: [2, 3] }, "b.weight": { data, shape: [5, 3] } });
}

/** Failures after the output was begun, and before. */
const FAILURES: readonly [
  title: string,
  source: () => SafetensorsSource,
  options: object,
  code: string,
  message: string,
][] = [
  [
    "a NaN weight",
    nanModel,
    {},
    "non-finite",
    'quantizeSafetensors "b.weight": expected finite values, got NaN at index 7',
  ],
  [
    "a truncated stream",
    () => streamOf(MODEL.subarray(0, MODEL.length - 1), 50),
    {},
    "invalid-file",
    'quantizeSafetensors "mask": expected 3 more bytes, got 2 before the source ended; it is truncated',
  ],
  [
    "a stream that goes on",
    () => streamOf(Uint8Array.from([...MODEL, 0]), 50),
    {},
    "invalid-file",
    `quantizeSafetensors: expected the source to end after ${MODEL.length} bytes, got more`,
  ],
  [
    "a Blob that has become shorter",
    () => ({
      size: MODEL.length,
      slice: (a: number, b: number) => ({
        arrayBuffer: async () => new Uint8Array(MODEL).buffer.slice(a, Math.min(b, MODEL.length - 2)),
      }),
    }),
    {},
    "invalid-file",
    'quantizeSafetensors "mask": expected 3 more bytes, got 1 before the source ended; it is truncated',
  ],
  [
    "a truncated array",
    () => MODEL.subarray(0, MODEL.length - 1),
    {},
    "invalid-file",
    'quantizeSafetensors "mask": expected data_offsets within 406 bytes of data, got [404,407]; the file may be truncated',
  ],
  [
    "less than a prefix",
    () => streamOf(MODEL.subarray(0, 5), 2),
    {},
    "invalid-file",
    "quantizeSafetensors: expected 8 more bytes, got 5 before the source ended; it is truncated",
  ],
  [
    "a stream whose header claims 100 MB",
    () => streamOf(Uint8Array.of(0, 225, 245, 5, 0, 0, 0, 0, 123), 4),
    {},
    "invalid-file",
    "quantizeSafetensors: expected 100000000 more bytes, got 1 before the source ended; it is truncated",
  ],
  [
    "a stream whose tensor claims a terabyte",
    () => streamOf(fileOf({ w: { dtype: "F32", shape: [2 ** 19, 2 ** 19], data_offsets: [0, 2 ** 40] } }, 100), 64),
    {},
    "invalid-file",
    'quantizeSafetensors "w": expected 1099511627776 more bytes, got 100 before the source ended; it is truncated',
  ],
  [
    "no tensors",
    () => writeSafetensors({}),
    {},
    "invalid-file",
    "quantizeSafetensors: expected at least one tensor, got none",
  ],
  [
    "a file that is quantized already",
    () =>
      writeSafetensors({
        w: { data: Int8Array.of(1), shape: [1], params: { scale: 1, zeroPoint: 0, qmin: -127, qmax: 127 } },
      }),
    {},
    "invalid-file",
    "quantizeSafetensors: expected a file that is not quantized, got one with __metadata__.quantization",
  ],
  [
    "a tensor that is named like a scale",
    () => writeSafetensors({ w: { data: sines(4), shape: [2, 2] }, w_scale: { data: sines(2), shape: [2] } }),
    {},
    "invalid-file",
    'quantizeSafetensors "w": expected no tensor "w_scale" beside a weight to quantize, got one; the file seems quantized already',
  ],
];

for (const [title, source, options, code, message] of FAILURES) {
  test(`${title}: one clear error, and no sink ends up with a file`, async () => {
    const failure = { name: "QuantError", code, message };
    const { sink, parts, events } = recorder();
    await assert.rejects(quantizeSafetensors(source(), sink, options), failure);
    assert.deepEqual(events, [`aborted: ${message}`]);
    if (parts.length > 0) assert.throws(() => readSafetensors(joined(parts)), { code: "invalid-file" });

    const called: Uint8Array[] = [];
    await assert.rejects(
      quantizeSafetensors(source(), (part) => void called.push(part), options),
      failure,
    );
    assert.deepEqual(joined(called), joined(parts));

    await inFolder(async (folder) => {
      const path = join(folder, "out");
      const handle = await open(path, "w");
      await assert.rejects(quantizeSafetensors(source(), handle, options), failure);
      await handle.close();
      assert.equal((await readFile(path)).length, 0);
    });
  });
}

test("what fails before the first byte leaves the sink's file alone", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    await writeFile(path, "precious");
    const handle = await open(path, "r+");
    await assert.rejects(quantizeSafetensors(writeSafetensors({}), handle), { code: "invalid-file" });
    await handle.close();
    assert.equal(await readFile(path, "utf8"), "precious");
  });
});

test("a sink that fails: its error comes through, even when the clean-up fails too, and the source is cancelled", async () => {
  const full = new Error("disk full");
  let writes = 0;
  let truncations = 0;
  for (const sink of [
    () => {
      throw full;
    },
    new WritableStream<Uint8Array>({
      write() {
        throw full;
      },
    }),
    {
      async write(_buffer, _offset, length) {
        if (++writes > 2) throw full;
        return { bytesWritten: length };
      },
      async truncate() {
        if (++truncations > 1) throw new Error("read-only by now");
      },
    },
  ] satisfies SafetensorsSink[]) {
    const cancelled: unknown[] = [];
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(MODEL),
      cancel: (reason) => void cancelled.push(reason),
    });
    await assert.rejects(quantizeSafetensors(source, sink), (error) => error === full);
    assert.deepEqual(cancelled, [full]);
  }
  assert.deepEqual([writes, truncations], [3, 2]);
});

test("a source that fails: its error comes through, and the sink is aborted", async () => {
  const { sink, events } = recorder();
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error("connection lost"));
    },
  });
  await assert.rejects(quantizeSafetensors(source, sink), { message: "connection lost" });
  assert.deepEqual(events, ["aborted: connection lost"]);
});

test("a progress callback that throws stops the run", async () => {
  const { sink, events } = recorder();
  const onProgress = () => {
    throw new Error("stop");
  };
  await assert.rejects(quantizeSafetensors(MODEL, sink, { onProgress }), { message: "stop" });
  assert.deepEqual(events, ["aborted: stop"]);
});

test("wrong arguments", async () => {
  const run = (source: unknown, sink: unknown, options = {}) =>
    quantizeSafetensors(source as never, sink as never, options);
  await assert.rejects(
    run("model.safetensors", () => {}),
    {
      name: "TypeError",
      message:
        "quantizeSafetensors: expected a source (Uint8Array, ArrayBuffer, Blob, ReadableStream or FileHandle), got [object String]",
    },
  );
  await assert.rejects(run(MODEL, null), {
    name: "TypeError",
    message: "quantizeSafetensors: expected a sink (WritableStream, FileHandle or a function), got [object Null]",
  });
  await assert.rejects(
    run(MODEL, () => {}, { bits: 9 }),
    {
      name: "RangeError",
      message: "quantizeSafetensors: expected bits in 2…8, got 9",
    },
  );
  await assert.rejects(
    run(new ReadableStream({ start: (c) => c.enqueue("text") }), () => {}),
    {
      name: "TypeError",
      message: "quantizeSafetensors: expected a stream of Uint8Array chunks, got [object String]",
    },
  );
});
