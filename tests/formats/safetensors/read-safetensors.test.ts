import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { QuantError } from "../../../src/core/errors.js";
import { readSafetensors, type Safetensors } from "../../../src/formats/safetensors/read-safetensors.js";
import { writeSafetensors } from "../../../src/formats/safetensors/write-safetensors.js";
import { quantizeWeight } from "../../../src/quantizers/quantize-weight.js";
import { fileOf, headerOf } from "./by-hand.js";

function one(dtype: string, shape: readonly number[], data: ArrayBufferView, lead = 0): Uint8Array {
  const body = new Uint8Array(lead + data.byteLength);
  body.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), lead);
  const header = {
    ...(lead === 0 ? {} : { lead: { dtype: "U8", shape: [lead], data_offsets: [0, lead] } }),
    a: { dtype, shape, data_offsets: [lead, body.length] },
  };
  return fileOf(header, body);
}

test("floats of every width come as float32, and say what they were", () => {
  const { a: f32 } = readSafetensors(one("F32", [2, 1], Float32Array.of(1.5, -0))).tensors;
  assert.deepEqual(f32, { data: Float32Array.of(1.5, -0), shape: [2, 1], dtype: "F32" });
  const { a: f16 } = readSafetensors(one("F16", [3], Uint16Array.of(0x3c00, 0x8001, 0xfc00))).tensors;
  assert.deepEqual(f16, { data: Float32Array.of(1, -(2 ** -24), -Infinity), shape: [3], dtype: "F16" });
  const { a: bf16 } = readSafetensors(one("BF16", [], Uint16Array.of(0xc040))).tensors;
  assert.deepEqual(bf16, { data: Float32Array.of(-3), shape: [], dtype: "BF16" });
  const tie = 1 + 2 ** -24; // halfway between two float32: to the even one
  const { a: f64 } = readSafetensors(one("F64", [4], Float64Array.of(0.1, tie, 1e300, NaN))).tensors;
  assert.deepEqual(f64, { data: Float32Array.of(0.1, 1, Infinity, NaN), shape: [4], dtype: "F64" });
});

test("integers come in their own arrays, 64 bits as BigInt, BOOL as bytes", () => {
  for (const [dtype, data] of [
    ["I8", Int8Array.of(-128, 127)],
    ["U8", Uint8Array.of(0, 255)],
    ["I16", Int16Array.of(-32768, 1)],
    ["U16", Uint16Array.of(65535, 1)],
    ["I32", Int32Array.of(-(2 ** 31), 1)],
    ["U32", Uint32Array.of(2 ** 32 - 1, 1)],
    ["I64", BigInt64Array.of(-(2n ** 63n), 1n)],
    ["U64", BigUint64Array.of(2n ** 64n - 1n, 1n)],
    ["BOOL", Uint8Array.of(1, 0)],
  ] as const) {
    assert.deepEqual(readSafetensors(one(dtype, [2], data)).tensors, { a: { data, shape: [2], dtype } });
  }
});

test("what is aligned in memory is a view of the file, what is not is copied", () => {
  const data = Float32Array.of(1, 2, 3);
  for (const lead of [0, 1, 2, 3, 4]) {
    for (const offset of [0, 1, 4]) {
      const bytes = one("F32", [3], data, lead);
      const memory = new Uint8Array(bytes.length + offset);
      memory.set(bytes, offset);
      const file = memory.subarray(offset);
      const { a } = readSafetensors(file).tensors;
      assert.deepEqual(a.data, data);
      const start = offset + headerOf(file).dataStart + lead;
      assert.equal(a.data.buffer === memory.buffer, start % 4 === 0, `lead ${lead}, offset ${offset}`);
    }
  }
});

test("an ArrayBuffer will do; metadata is returned; a file without tensors is a file", () => {
  const bytes = fileOf({ __metadata__: { format: "pt", quantization: "awq" } });
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  assert.deepEqual(readSafetensors(buffer), { tensors: {}, metadata: { format: "pt", quantization: "awq" } });
});

test("names such as constructor and toString are names like others", () => {
  const tensors = {
    constructor: { data: Float32Array.of(1), shape: [1] },
    toString: { data: Float32Array.of(2), shape: [1] },
  };
  assert.deepEqual(Object.keys(readSafetensors(writeSafetensors(tensors)).tensors), ["constructor", "toString"]);
});

test("another argument is a TypeError", () => {
  for (const [bytes, got] of [
    ["{}", "[object String]"],
    [undefined, "[object Undefined]"],
    [new Float32Array(8), "[object Float32Array]"],
  ] as const) {
    assert.throws(() => readSafetensors(bytes as never), {
      name: "TypeError",
      message: `readSafetensors: expected a Uint8Array or ArrayBuffer, got ${got}`,
    });
  }
});

test("dtypes that no typed array holds are refused, naming the tensor", () => {
  for (const [dtype, shape] of [
    ["F8_E4M3", [24]],
    ["F8_E5M2", [24]],
    ["F8_E8M0", [24]],
    ["F8_E4M3FNUZ", [24]],
    ["F8_E5M2FNUZ", [24]],
    ["F4", [48]],
    ["F6_E2M3", [32]],
    ["F6_E3M2", [32]],
    ["C64", [3]],
  ] as const) {
    assert.throws(() => readSafetensors(one(dtype, shape, new Uint8Array(24))), {
      code: "unsupported",
      message: `readSafetensors "a": expected F64, F32, F16, BF16, BOOL or an integer dtype, got ${dtype}`,
    });
  }
});

const SCALE = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
const CODES = { dtype: "I8", shape: [2, 2], data_offsets: [8, 12] };
const ENTRY = { bits: 8, qmin: -127, qmax: 127, axis: 0, shape: [2, 2] };

function quantizedFile(change: {
  entry?: object | null;
  whole?: string | object;
  tensors?: object;
  data?: readonly number[];
}): Uint8Array {
  const {
    entry = ENTRY,
    tensors = { w: CODES, w_scale: SCALE },
    data = [0, 0, 128, 63, 0, 0, 0, 64, 1, 2, 3, 129],
  } = change;
  const whole = change.whole ?? { format: "bitpress", version: 1, tensors: { w: entry } };
  const quantization = typeof whole === "string" ? whole : JSON.stringify(whole);
  return fileOf({ __metadata__: { quantization }, ...tensors }, Uint8Array.from(data));
}

test("a file put together by hand is read as the quantized tensor it describes", () => {
  assert.deepEqual(readSafetensors(quantizedFile({})), {
    tensors: {
      w: {
        data: Int8Array.of(1, 2, 3, -127),
        shape: [2, 2],
        params: { scale: Float32Array.of(1, 2), zeroPoint: Int32Array.of(0, 0), qmin: -127, qmax: 127, axis: 0 },
      },
    },
    metadata: {},
  });
});

test("quantization metadata of somebody else is left alone", () => {
  for (const whole of ["awq", "{", '{"format":"other","tensors":1}', "[[[[[[]]]]]]"]) {
    const { tensors, metadata } = readSafetensors(quantizedFile({ whole }));
    assert.deepEqual(Object.keys(tensors).sort(), ["w", "w_scale"]);
    assert.deepEqual(metadata, { quantization: whole });
  }
});

const PLACE = "readSafetensors, __metadata__.quantization";
const HOSTILE: readonly [title: string, change: Parameters<typeof quantizedFile>[0], message: string][] = [
  ["broken JSON", { whole: '{"format":"bitpress",' }, `${PLACE}: expected JSON, got "{\\"format\\":\\"bitpress\\","`],
  [
    "a name twice",
    { whole: '{"format":"bitpress","version":1,"tensors":{"w":1,"w":2}}' },
    `${PLACE}: expected each key once, got "w" twice`,
  ],
  [
    "deep nesting",
    { whole: `{"format":"bitpress","tensors":${"[".repeat(99)}` },
    `${PLACE}: expected JSON at most 4 levels deep, got more at character 34`,
  ],
  [
    "another version",
    { whole: { format: "bitpress", version: 2, tensors: {} } },
    `${PLACE}: expected version 1, got 2`,
  ],
  [
    "no tensors",
    { whole: { format: "bitpress", version: 1 } },
    `${PLACE}: expected tensors as an object, got undefined`,
  ],
  [
    "padding that is not names",
    { whole: { format: "bitpress", version: 1, tensors: {}, padding: [1] } },
    `${PLACE}: expected padding as a list of names, got [1]`,
  ],
  [
    "padding that is not there",
    { whole: { format: "bitpress", version: 1, tensors: {}, padding: ["p"] } },
    'readSafetensors "p": expected padding as a tensor of U8, got none',
  ],
  [
    "padding that is a tensor of values",
    { whole: { format: "bitpress", version: 1, tensors: {}, padding: ["w_scale"] } },
    'readSafetensors "w_scale": expected padding as a tensor of U8, got F32',
  ],
  ["an entry null", { entry: null }, `${PLACE} "w": expected { bits, qmin, qmax, axis?, shape, packed? }, got null`],
  [
    "a grid upside down",
    { entry: { ...ENTRY, qmin: 127, qmax: -127 } },
    `${PLACE} "w": expected integers qmin < qmax of at most 16 bits, got [127,-127]`,
  ],
  [
    "a grid of 17 bits",
    { entry: { ...ENTRY, qmax: 65536 } },
    `${PLACE} "w": expected integers qmin < qmax of at most 16 bits, got [-127,65536]`,
  ],
  [
    "bits that do not fit the grid",
    { entry: { ...ENTRY, bits: 4 } },
    `${PLACE} "w": expected bits 8 for codes in [-127, 127], got 4`,
  ],
  [
    "packed that is not",
    { entry: { ...ENTRY, packed: true } },
    `${PLACE} "w": expected packed false for 8 bits, got true`,
  ],
  [
    "packed that is not said",
    { entry: { ...ENTRY, bits: 4, qmin: -7, qmax: 7 } },
    `${PLACE} "w": expected packed true for 4 bits, got undefined`,
  ],
  [
    "a shape of text",
    { entry: { ...ENTRY, shape: "4" } },
    `${PLACE} "w": expected a shape of non-negative integers, got "4"`,
  ],
  [
    "a huge shape",
    { entry: { ...ENTRY, shape: [2 ** 40, 2 ** 40] } },
    `${PLACE} "w": expected a shape of fewer than 2^53 elements, got [1099511627776,1099511627776]`,
  ],
  ["an axis outside", { entry: { ...ENTRY, axis: 2 } }, `${PLACE} "w": expected an axis of a tensor of rank 2, got 2`],
  [
    "a negative axis",
    { entry: { ...ENTRY, axis: -1 } },
    `${PLACE} "w": expected an axis of a tensor of rank 2, got -1`,
  ],
  [
    "more codes than are there",
    { entry: { ...ENTRY, shape: [2, 2 ** 40] } },
    'readSafetensors "w": expected I8 with 2199023255552 elements, got I8 with 4',
  ],
  [
    "no codes",
    { tensors: { v: CODES, w_scale: SCALE } },
    'readSafetensors "w": expected a tensor "w" for it, got none',
  ],
  [
    "no scale",
    { tensors: { w: CODES, scale: SCALE } },
    'readSafetensors "w": expected a tensor "w_scale" for it, got none',
  ],
  [
    "codes of another dtype",
    { tensors: { w: { ...CODES, dtype: "U8" }, w_scale: SCALE } },
    'readSafetensors "w": expected I8 with 4 elements, got U8 with 4',
  ],
  [
    "a scale of another length",
    { entry: { bits: 8, qmin: -127, qmax: 127, shape: [2, 2] } },
    'readSafetensors "w_scale": expected F32 with 1 elements, got F32 with 2',
  ],
  [
    "a zero point of another dtype",
    {
      tensors: {
        w_zero_point: { dtype: "I32", shape: [1], data_offsets: [8, 12] },
        w_scale: SCALE,
        w: { ...CODES, data_offsets: [12, 16] },
      },
      data: [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 0, 0, 1, 2, 3, 4],
    },
    'readSafetensors "w_zero_point": expected I8 with 2 elements, got I32 with 1',
  ],
  [
    "a zero point outside the grid",
    {
      tensors: {
        w_zero_point: { dtype: "I8", shape: [2], data_offsets: [8, 10] },
        w_scale: SCALE,
        w: { ...CODES, data_offsets: [10, 14] },
      },
      data: [0, 0, 128, 63, 0, 0, 0, 64, 5, 128, 1, 2, 3, 4],
    },
    'readSafetensors "w_zero_point": expected zero points in [-127, 127], got -128 at index 1',
  ],
  [
    "a code outside the grid",
    { data: [0, 0, 128, 63, 0, 0, 0, 64, 1, 2, 128, 4] },
    'readSafetensors "w": expected codes in [-127, 127], got -128 at index 2',
  ],
  [
    "a scale of 0",
    { data: [0, 0, 128, 63, 0, 0, 0, 0, 1, 2, 3, 4] },
    'readSafetensors "w_scale": expected scales > 0 and finite, got 0 at index 1',
  ],
  [
    "a scale NaN",
    { data: [0, 0, 192, 127, 0, 0, 0, 64, 1, 2, 3, 4] },
    'readSafetensors "w_scale": expected scales > 0 and finite, got NaN at index 0',
  ],
];

for (const [title, change, message] of HOSTILE) {
  test(`refuses quantization metadata with ${title}`, () => {
    assert.throws(() => readSafetensors(quantizedFile(change)), { name: "QuantError", code: "invalid-file", message });
  });
}

test("a file that ends early anywhere is refused", () => {
  const file = quantizedFile({});
  for (let length = 0; length < file.length; length++) {
    assert.throws(() => readSafetensors(file.slice(0, length)), { name: "QuantError", code: "invalid-file" });
  }
});

/** Real files: one of every dtype, quantized and packed tensors, metadata, an empty tensor. */
const REAL_FILES: readonly Uint8Array[] = [
  writeSafetensors(
    {
      "conv.weight": quantizeWeight(
        "conv",
        { data: Float32Array.from({ length: 54 }, (_, i) => Math.sin(i)), shape: [2, 3, 3, 3] },
        { bits: 8, granularity: "perChannel", axis: 0 },
      ),
      "conv.bias": { data: Float32Array.of(0.5, -0.5), shape: [2] },
      "fc.weight": quantizeWeight(
        "fc",
        { data: Float32Array.from({ length: 15 }, (_, i) => Math.cos(i)), shape: [3, 5] },
        { bits: 4, granularity: "perTensor", axis: 0 },
      ),
      x: { data: Uint8Array.of(3, 4), shape: [2], params: { scale: 0.5, zeroPoint: 3, qmin: 0, qmax: 255 } },
      steps: { data: BigInt64Array.of(9n), shape: [], dtype: "I64" },
      mask: { data: Uint8Array.of(1, 0, 1), shape: [3], dtype: "BOOL" },
      empty: { data: new Float32Array(0), shape: [0, 4] },
    },
    { metadata: { format: "pt" } },
  ),
  quantizedFile({}),
  one("BF16", [2, 2], Uint16Array.of(1, 2, 3, 4), 3),
];

/** Pieces of headers and numbers that mutations paste in. */
const SCRAPS = [
  "{",
  "}",
  "[",
  "]",
  '"',
  ":",
  ",",
  "0",
  "-1",
  "1e9",
  "9007199254740993",
  "null",
  "0.5",
  "F16",
  "U8",
  "[0,0]",
  "__proto__",
  "\\u0061",
  " ",
];

/** Takes bytes out and puts others in. */
interface Mutation {
  readonly at: number;
  readonly out: number;
  readonly paste: Uint8Array;
}

const arbitraryMutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ at: fc.nat(), out: fc.constant(1), paste: fc.uint8Array({ minLength: 1, maxLength: 1 }) }),
  fc.record({
    at: fc.nat(),
    out: fc.integer({ min: 0, max: 3 }),
    paste: fc.constantFrom(...SCRAPS).map((scrap) => new TextEncoder().encode(scrap)),
  }),
  fc.record({ at: fc.nat(), out: fc.integer({ min: 1, max: 12 }), paste: fc.constant(new Uint8Array(0)) }),
);

function mutate(file: Uint8Array, { at, out, paste }: Mutation): Uint8Array {
  const start = at % (file.length + 1);
  return Uint8Array.from([...file.subarray(0, start), ...paste, ...file.subarray(start + out)]);
}

/** Sets the header's length right again, so that mutations inside it get past the first check. */
function relength(file: Uint8Array, change: number): Uint8Array {
  if (file.length < 8) return file;
  const copy = file.slice();
  const view = new DataView(copy.buffer);
  view.setBigUint64(0, BigInt.asUintN(64, view.getBigUint64(0, true) + BigInt(change)), true);
  return copy;
}

/** Reads a file that may be anything: true when it was loaded, false when it was refused as it should be. */
function loads(file: Uint8Array): boolean {
  let tensors: Safetensors["tensors"];
  try {
    tensors = readSafetensors(file).tensors;
  } catch (error) {
    if (!(error instanceof QuantError)) throw error;
    assert.ok(error.code === "invalid-file" || error.code === "unsupported", error.message);
    assert.match(error.message, /^readSafetensors.*: expected .*, got /);
    assert.ok(error.message.length < 500, error.message);
    return false;
  }
  for (const { data, shape } of Object.values(tensors)) {
    assert.equal(
      data.length,
      shape.reduce((a, b) => a * b, 1),
    );
  }
  // What was loaded can be written, and is then read as the same.
  assert.deepEqual(readSafetensors(writeSafetensors(tensors)).tensors, stripDtypes(tensors));
  return true;
}

test("10 000 files with mutated bytes: each is refused with one clear error or is a well-formed file", () => {
  let loaded = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...REAL_FILES),
      fc.array(arbitraryMutation, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (original, mutations, mend) => {
        const file = mutations.reduce(mutate, original);
        if (loads(mend ? relength(file, file.length - original.length) : file)) loaded++;
      },
    ),
    { numRuns: 10_000 },
  );
  // About 240: most bytes of such small files are header.
  assert.ok(loaded > 100 && loaded < 5000, `loaded ${loaded}`);
});

/** What a hostile header may say in any place. */
const VALUES = [
  null,
  -1,
  0,
  1,
  2,
  3,
  4,
  8,
  0.5,
  2 ** 31,
  2 ** 53,
  1e300,
  "",
  "F32",
  "I32",
  "F16",
  "BOOL",
  "I8",
  "U8",
  "BF16",
  "I64",
  "toString",
  [],
  {},
  [0],
  [-1],
  [2, 2],
  [0, 0],
  [8, 12],
  [2 ** 53, 2],
  [[1]],
  { a: 1 },
];

test("5 000 files with mutated headers: the same", () => {
  let loaded = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...REAL_FILES),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(...VALUES)), { minLength: 1, maxLength: 2 }),
      fc.boolean(),
      (original, changes, inQuantization) => {
        const { header, dataStart } = headerOf(original);
        const { __metadata__, ...entries } = header as Record<string, Record<string, unknown>>;
        const quantization = JSON.parse(String(__metadata__?.quantization ?? "null"));
        const target = inQuantization && quantization !== null ? quantization.tensors : entries;
        for (const [which, field, value] of changes) {
          const names = Object.keys(target);
          const name = names[which % names.length];
          const fields = [...Object.keys(target[name] ?? {}), undefined];
          const key = fields[field % fields.length];
          if (key === undefined) target[name] = value;
          else target[name] = { ...target[name], [key]: value };
        }
        const metadata = quantization === null ? {} : { __metadata__: { quantization: JSON.stringify(quantization) } };
        if (loads(fileOf({ ...metadata, ...entries }, original.subarray(dataStart)))) loaded++;
      },
    ),
    { numRuns: 5000 },
  );
  assert.ok(loaded > 20 && loaded < 2500, `loaded ${loaded}`);
});

function stripDtypes(tensors: Safetensors["tensors"]): object {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      tensor.data instanceof Float32Array ? { ...tensor, dtype: "F32" } : tensor,
    ]),
  );
}
