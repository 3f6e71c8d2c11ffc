import assert from "node:assert/strict";
import { test } from "node:test";
import { inspectTfjs } from "../../src/arrays/inspect-tfjs.js";
import { quantizeTfjs } from "../../src/arrays/quantize-tfjs.js";
import type { ModelArtifacts, WeightSpec } from "../../src/formats/tfjs-model/artifacts.js";

/** A Sequential of one layer with these weights. */
function layerModel(className: string, weights: readonly [WeightSpec, ArrayBufferView][]): ModelArtifacts {
  const bytes = weights.map(([, { buffer, byteOffset, byteLength }]) => new Uint8Array(buffer, byteOffset, byteLength));
  return {
    format: "layers-model",
    modelTopology: { class_name: "Sequential", config: [{ class_name: className, config: { name: "layer" } }] },
    weightSpecs: weights.map(([spec]) => spec),
    weightData: Uint8Array.from(bytes.flatMap((part) => [...part])).buffer,
  };
}

function bins(...filled: [number, number][]): number[] {
  const histogram = new Array(16).fill(0);
  for (const [bin, count] of filled) histogram[bin] = count;
  return histogram;
}

const finite = { nonFinite: 0, firstNonFinite: -1 };
/** Two values, the ends of their range. */
const ends = (min: number, max: number) => ({ min, max, histogram: bins([0, 1], [15, 1]), ...finite });

test("every stored dtype: bits and bytes as stored, values as tfjs decodes them", () => {
  const uint8 = { dtype: "uint8", scale: 0.5, min: -1 } as const;
  const uint16 = { dtype: "uint16", scale: 1.5, min: 0 } as const;
  const shape = [2];
  const model = layerModel("Dense", [
    [{ name: "layer/kernel", shape: [1, 2], dtype: "float32" }, Float32Array.of(127, -1)],
    [{ name: "a", shape, dtype: "int32" }, Int32Array.of(-4, 12)],
    [{ name: "b", shape, dtype: "bool" }, Uint8Array.of(0, 1)],
    [{ name: "c", shape, dtype: "float32", quantization: uint8 }, Uint8Array.of(0, 8)],
    [{ name: "d", shape, dtype: "int32", quantization: uint16 }, Uint16Array.of(1, 3)],
    [{ name: "e", shape, dtype: "float32", quantization: { dtype: "float16" } }, Uint16Array.of(0x3c00, 0x7c00)],
    [{ name: "f", shape: [1], dtype: "complex64" }, Float32Array.of(1, 2)],
    [{ name: "g", shape: [0], dtype: "float32" }, new Float32Array(0)],
    [{ name: "h", shape: [1], dtype: "string" }, Uint8Array.of(1, 0, 0, 0, 65)],
  ]);
  const progress: unknown[] = [];
  const tensors = inspectTfjs(model, (step) => progress.push(step));
  assert.deepEqual(progress.slice(0, 2), [
    { name: "layer/kernel", done: 0, total: 9 },
    { name: "a", done: 1, total: 9 },
  ]);
  const [kernel, ...others] = tensors;
  assert.deepEqual(kernel, {
    name: "layer/kernel",
    shape: [1, 2],
    dtype: "float32",
    bits: 32,
    bytes: 8,
    values: ends(-1, 127),
    int8Sqnr: Number.POSITIVE_INFINITY,
  });
  const half = { granularity: "perTensor", scales: [0.5, 0.5], step: 0.125 };
  const oneAndHalf = { granularity: "perTensor", scales: [1.5, 1.5], step: 0.5 };
  assert.deepEqual(others, [
    { name: "a", shape, dtype: "int32", bits: 32, bytes: 8, values: ends(-4, 12) },
    { name: "b", shape, dtype: "bool", bits: 8, bytes: 2, values: ends(0, 1) },
    { name: "c", shape, dtype: "uint8", bits: 8, bytes: 2, values: ends(-1, 3), grid: half },
    // 1.5 and 4.5, rounded as tfjs does
    { name: "d", shape, dtype: "uint16", bits: 16, bytes: 4, values: ends(2, 5), grid: oneAndHalf },
    {
      name: "e",
      shape,
      dtype: "float16",
      bits: 16,
      bytes: 4,
      values: { min: 1, max: 1, histogram: bins([8, 1]), nonFinite: 1, firstNonFinite: 1 },
    },
    { name: "f", shape: [1], dtype: "complex64", bits: 64, bytes: 8 },
    { name: "g", shape: [0], dtype: "float32", bits: 32, bytes: 0 },
    { name: "h", shape: [1], dtype: "string", bits: 8, bytes: 5 },
  ]);
});

test("codes and scales of a depthwise kernel with a multiplier, whose channels are its last two axes", () => {
  // [kh 1, kw 2, in 2, mult 2]: four channels of two values, the largest of channel c is c + 1.
  const kernel = Float32Array.of(1, 2, 3, 4, -0.5, -1, -1.5, -2);
  const spec = { name: "layer/depthwise_kernel", shape: [1, 2, 2, 2], dtype: "float32" } as const;
  const { artifacts } = quantizeTfjs(layerModel("DepthwiseConv2D", [[spec, kernel]]), { bits: 2 });
  const [codes] = inspectTfjs(artifacts);
  assert.deepEqual(codes, {
    name: "layer/depthwise_kernel",
    shape: [1, 2, 2, 2],
    dtype: "uint8",
    bits: 2,
    bytes: 8,
    // Minus half a step is a tie, to the even code 0: each channel holds its scale and 0.
    values: { min: 0, max: 4, histogram: bins([0, 4], [4, 1], [8, 1], [12, 1], [15, 1]), ...finite },
    grid: { granularity: "perChannel", scales: [1, 4], step: 1 },
  });
});

test("a weight with NaN has values, and no int8 SQNR", () => {
  const spec = { name: "layer/kernel", shape: [2, 1], dtype: "float32" } as const;
  const [kernel] = inspectTfjs(layerModel("Dense", [[spec, Float32Array.of(Number.NaN, 3)]]));
  assert.deepEqual([kernel.values?.nonFinite, kernel.values?.max, "int8Sqnr" in kernel], [1, 3, false]);
});
