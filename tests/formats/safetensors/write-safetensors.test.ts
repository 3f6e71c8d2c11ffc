import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Codes, Grid } from "../../../src/core/grid.js";
import { sizeOf } from "../../../src/core/shape.js";
import type { QuantizedTensor } from "../../../src/core/tensor.js";
import { readSafetensors } from "../../../src/formats/safetensors/read-safetensors.js";
import { writeSafetensors } from "../../../src/formats/safetensors/write-safetensors.js";
import { quantizeWeight } from "../../../src/quantizers/quantize-weight.js";
import { dequantize } from "../../../src/wasm/dequantize.js";
import { decodeByHand, dequantizeByHand, headerOf } from "./by-hand.js";

const INT8 = { qmin: -127, qmax: 127 };

function weight(data: readonly number[], shape: readonly number[], bits = 8): QuantizedTensor {
  return quantizeWeight("w", { data: Float32Array.from(data), shape }, { bits, granularity: "perChannel", axis: 0 });
}

test("writes the bytes that the Rust library writes for the same tensors", () => {
  const data = Float32Array.of(0, 1, 2, 3, 4, 5);
  const floats = [0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64, 0, 0, 160, 64];
  const header = [...new TextEncoder().encode('{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}')];
  assert.deepEqual(
    [...writeSafetensors({ "attn.0": { data, shape: [1, 2, 3] } })],
    [64, 0, 0, 0, 0, 0, 0, 0, ...header, ...floats],
  );
  const padded = [
    ...new TextEncoder().encode('{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       '),
  ];
  assert.deepEqual(
    [...writeSafetensors({ attn0: { data, shape: [1, 1, 2, 3] } })],
    [72, 0, 0, 0, 0, 0, 0, 0, ...padded, ...floats],
  );
  assert.deepEqual([...writeSafetensors({})], [8, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode("{}      ")]);
  assert.deepEqual(
    [...writeSafetensors({}, { metadata: { framework: "pt" } })],
    [40, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode('{"__metadata__":{"framework":"pt"}}     ')],
  );
});

test("sorts by dtype, largest alignment first, then by the UTF-8 bytes of the names; everything is aligned", () => {
  const file = writeSafetensors({
    "\u{1f600}": { data: Float32Array.of(1), shape: [1] },
    "\uff5e": { data: Float32Array.of(2), shape: [1] }, // before the emoji in UTF-8, after it in UTF-16
    b: { data: Float32Array.of(3), shape: [] },
    bool: { data: Uint8Array.of(1, 0, 1), shape: [3], dtype: "BOOL" },
    u8: { data: Uint8Array.of(255), shape: [1], dtype: "U8" },
    i8: { data: Int8Array.of(-1, 2, 3), shape: [3], dtype: "I8" },
    i16: { data: Int16Array.of(-300), shape: [1], dtype: "I16" },
    u16: { data: Uint16Array.of(65535), shape: [1], dtype: "U16" },
    i32: { data: Int32Array.of(-70000), shape: [1], dtype: "I32" },
    u32: { data: Uint32Array.of(7), shape: [1], dtype: "U32" },
    i64: { data: BigInt64Array.of(-5n), shape: [], dtype: "I64" },
    u64: { data: BigUint64Array.of(5n), shape: [1], dtype: "U64" },
  });
  const order = ["u64", "i64", "b", "\uff5e", "\u{1f600}", "u32", "i32", "u16", "i16", "i8", "u8", "bool"];
  assert.deepEqual(Object.keys(headerOf(file).header), order);
  for (const [name, { at, dtype }] of decodeByHand(
    new Uint8Array(writeSafetensors({ b: weight([1, 2, 3], [1, 3]) })),
  )) {
    assert.equal(at % (dtype === "F32" ? 4 : 1), 0, name);
  }
});

test("a quantized weight becomes codes, scale and, where it is not 0, zero point; the metadata says what they mean", () => {
  const affine: QuantizedTensor = {
    data: Uint8Array.of(0, 128, 255),
    shape: [3],
    params: { scale: 0.5, zeroPoint: 128, qmin: 0, qmax: 255 },
  };
  const file = writeSafetensors(
    { "fc.weight": weight([-1, 0.5, 2, -4], [2, 2]), x: affine },
    { metadata: { format: "pt" } },
  );
  const { text } = headerOf(file);
  const quantization =
    '{"format":"bitpress","version":1,"tensors":{"fc.weight":{"bits":8,"qmin":-127,"qmax":127,"axis":0,"shape":[2,2]},"x":{"bits":8,"qmin":0,"qmax":255,"shape":[3]}}}';
  assert.equal(
    text,
    `{"__metadata__":{"format":"pt","quantization":${JSON.stringify(quantization)}},` +
      '"fc.weight_scale":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x_scale":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},' +
      '"fc.weight":{"dtype":"I8","shape":[2,2],"data_offsets":[12,16]},' +
      '"x":{"dtype":"U8","shape":[3],"data_offsets":[16,19]},"x_zero_point":{"dtype":"U8","shape":[1],"data_offsets":[19,20]}}',
  );
  const tensors = decodeByHand(file);
  assert.deepEqual(tensors.get("fc.weight")?.values, [-127, 64, 64, -127]); // 63.5 and 63.5 tie to the even 64
  assert.deepEqual(tensors.get("fc.weight_scale")?.values, [Math.fround(1 / 127), Math.fround(4 / 127)]);
  assert.deepEqual(tensors.get("x_zero_point")?.values, [128]);
});

test("4 and 2 bits are packed into U8, the first code in the lowest bits; 3 and 16 are not", () => {
  const codes = (bits: number): { dtype?: string; shape?: number[]; values?: number[] } => {
    const { dtype, shape, values } =
      decodeByHand(writeSafetensors({ w: weight([7, -7, 1, 0, -1], [1, 5], bits) })).get("w") ?? {};
    return { dtype, shape, values } as never;
  };
  assert.deepEqual(codes(4), { dtype: "U8", shape: [3], values: [0x97, 0x01, 0x0f] });
  assert.deepEqual(codes(2), { dtype: "U8", shape: [2], values: [0b00001101, 0b00] });
  assert.deepEqual(codes(3), { dtype: "I8", shape: [1, 5], values: [3, -3, 0, 0, 0] });
  assert.deepEqual(codes(16), { dtype: "I16", shape: [1, 5], values: [32767, -32767, 4681, 0, -4681] });
});

/** Grids of every width, with and without sign, and one whose codes fit no field of its width. */
const GRIDS: readonly Grid[] = [
  ...[1, 2, 3, 4, 5, 8, 9, 16].map((bits) => ({ qmin: -(2 ** (bits - 1)), qmax: 2 ** (bits - 1) - 1 })),
  ...[2, 4, 8, 16].map((bits) => ({ qmin: 1 - 2 ** (bits - 1), qmax: 2 ** (bits - 1) - 1 })),
  ...[1, 2, 3, 4, 8, 16].map((bits) => ({ qmin: 0, qmax: 2 ** bits - 1 })),
  { qmin: -1, qmax: 14 },
  { qmin: 1, qmax: 2 },
];

const arbitraryQuantized: fc.Arbitrary<QuantizedTensor> = fc
  .record({
    grid: fc.constantFrom(...GRIDS),
    shape: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
    perChannel: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1e6 }),
    affine: fc.boolean(),
  })
  .map(({ grid, shape, perChannel, seed, affine }) => {
    const { qmin, qmax } = grid;
    const span = qmax - qmin + 1;
    const axis = seed % shape.length;
    const channels = perChannel ? shape[axis] : 1;
    const type =
      qmin < 0 ? (qmin < -128 || qmax > 127 ? Int16Array : Int8Array) : qmax > 255 ? Uint16Array : Uint8Array;
    const data: Codes = new type(sizeOf(shape)).map((_, i) => qmin + ((seed + 7919 * i) % span));
    const scale = new Float32Array(channels).map((_, c) => 2 ** -20 * (1 + ((seed + c) % 1000)));
    const centre = Math.max(qmin, Math.min(qmax, 0));
    const zeroPoint = new Int32Array(channels).map((_, c) => (affine ? qmin + ((seed + c) % span) : centre));
    const params = perChannel
      ? { scale, zeroPoint, qmin, qmax, axis }
      : { scale: scale[0], zeroPoint: zeroPoint[0], qmin, qmax };
    return { data, shape, params };
  });

test("whatever is written is read back exactly, and an independent reader gets the same real values", () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ maxLength: 4 }).filter((name) => name !== "__proto__"),
        arbitraryQuantized,
        { maxKeys: 5, noNullPrototype: true },
      ),
      fc.array(fc.float({ noNaN: true }), { maxLength: 9 }),
      (quantized, floats) => {
        const plain = { "layer.bias": { data: Float32Array.from(floats), shape: [floats.length] } };
        const file = writeSafetensors({ ...quantized, ...plain }, { metadata: { a: "b" } });
        const { tensors, metadata } = readSafetensors(file);
        assert.deepEqual(tensors, { ...quantized, "layer.bias": { ...plain["layer.bias"], dtype: "F32" } });
        assert.deepEqual(metadata, { a: "b" });
        for (const [name, { data, shape, params }] of Object.entries(quantized)) {
          assert.deepEqual(dequantizeByHand(file, name), [...dequantize(data, params, { shape })], name);
        }
        assert.deepEqual(writeSafetensors(tensors, { metadata }), file);
      },
    ),
    { numRuns: 300 },
  );
});

test("a scale or zero point alone per channel is spread; a negative axis becomes the axis it means", () => {
  const data = Int8Array.of(1, 2, 3, 4);
  const params = { scale: Float32Array.of(1, 2), zeroPoint: 3, ...INT8, axis: -1 };
  assert.deepEqual(readSafetensors(writeSafetensors({ w: { data, shape: [2, 2], params } })).tensors, {
    w: { data, shape: [2, 2], params: { ...params, zeroPoint: Int32Array.of(3, 3), axis: 1 } },
  });
});

test("numpy reads the same real values", (context) => {
  const probe = spawnSync("python3", ["-c", "import numpy"]);
  if (probe.status !== 0) return context.skip("python3 with numpy is not installed");
  const folder = mkdtempSync(join(tmpdir(), "bitpress-"));
  try {
    const quantized = weight(
      Array.from({ length: 60 }, (_, i) => Math.sin(i)),
      [5, 12],
    );
    const packed = weight(
      Array.from({ length: 15 }, (_, i) => Math.cos(i)),
      [3, 5],
      4,
    );
    writeFileSync(join(folder, "w.safetensors"), writeSafetensors({ quantized, packed }));
    const script = `
import json, sys, numpy as np
raw = open(sys.argv[1], "rb").read()
n = int.from_bytes(raw[:8], "little")
header = json.loads(raw[8:8 + n])
meta = json.loads(header.pop("__metadata__")["quantization"])["tensors"]
types = {"I8": np.int8, "U8": np.uint8, "F32": np.float32}
t = {k: np.frombuffer(raw[8 + n + e["data_offsets"][0]:8 + n + e["data_offsets"][1]], types[e["dtype"]]).reshape(e["shape"]) for k, e in header.items()}
try:
    from safetensors.numpy import load
    assert all((load(raw)[k] == t[k]).all() for k in t)
except ImportError:
    pass
w = t["quantized"].astype(np.float32) * t["quantized_scale"][:, None]
p = t["packed"]
codes = np.stack([p & 15, p >> 4], 1).reshape(-1)[:15].astype(np.int32)
codes = np.where(codes > 7, codes - 16, codes).reshape(meta["packed"]["shape"])
print(json.dumps([w.reshape(-1).tolist(), (codes.astype(np.float32) * t["packed_scale"][:, None]).reshape(-1).tolist()]))
`;
    const run = spawnSync("python3", ["-c", script, join(folder, "w.safetensors")], { encoding: "utf8" });
    assert.equal(run.stderr, "");
    const expected = [quantized, packed].map(({ data, params, shape }) => [...dequantize(data, params, { shape })]);
    assert.deepEqual(JSON.parse(run.stdout), expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("wrong tensors are errors that name the tensor", () => {
  const write = (tensor: unknown, options = {}) => writeSafetensors({ w: tensor } as never, options);
  const params = { scale: 1, zeroPoint: 0, ...INT8 };
  const cases: [() => unknown, string, string][] = [
    [() => write(null), "TypeError", 'writeSafetensors "w": expected { data, shape }, got null'],
    [
      () => write({ data: [1], shape: [1] }),
      "TypeError",
      'writeSafetensors "w": expected data as a Float32Array or an integer array, got [object Array]',
    ],
    [
      () => write({ data: new Float32Array(3), shape: [2, 2] }),
      "RangeError",
      'writeSafetensors "w": expected 4 elements for shape [2, 2], got 3',
    ],
    [
      () => write({ data: new Int16Array(1), shape: [1], params }),
      "TypeError",
      'writeSafetensors "w": expected codes as Int8Array for [-127, 127], got Int16Array',
    ],
    [
      () => write({ data: Int8Array.of(1, -128), shape: [2], params }),
      "RangeError",
      'writeSafetensors "w": expected codes in [-127, 127], got -128 at index 1',
    ],
    [
      () => write({ data: new Int8Array(1), shape: [1], params: { ...params, scale: 0 } }),
      "RangeError",
      'writeSafetensors "w": expected scale > 0 and finite in float32, got 0',
    ],
    [
      () => write({ data: new Int8Array(1), shape: [1], params }, { metadata: { quantization: "awq" } }),
      "TypeError",
      'writeSafetensors: expected no metadata "quantization" beside quantized tensors, got one',
    ],
    [
      () => writeSafetensors({}, { metadata: { step: 1 as never } }),
      "TypeError",
      'writeSafetensors: expected metadata of strings, got "step": 1',
    ],
  ];
  for (const [run, name, message] of cases) assert.throws(run, { name, message });
});

test("names that a file cannot hold are errors", () => {
  const plain = { data: new Float32Array(1), shape: [1] };
  assert.throws(() => writeSafetensors({ __metadata__: plain }), {
    code: "invalid-model",
    message: 'writeSafetensors: expected a tensor name, got the reserved "__metadata__"',
  });
  assert.throws(() => writeSafetensors(Object.fromEntries([["__proto__", plain]])), {
    code: "invalid-model",
    message: 'writeSafetensors: expected a tensor name, got the reserved "__proto__"',
  });
  for (const beside of ["w_scale", "w_zero_point"]) {
    assert.throws(() => writeSafetensors({ w: weight([1, 2], [2, 1]), [beside]: plain }), {
      code: "invalid-model",
      message: `writeSafetensors "w": expected no tensor "${beside}" beside a quantized one, got one`,
    });
  }
});
