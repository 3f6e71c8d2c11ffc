import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sizeOf } from "../../src/core/shape.js";
import type { Int8Tensor, QuantizedNode, QuantizedTensor } from "../../src/graph/quantized-graph.js";
import { caseOf, checkNode, settings } from "./run-node.js";

const FIXED: Readonly<Record<string, readonly [number, number]>> = {
  logistic: [1 / 256, -128],
  tanh: [1 / 128, 0],
};
const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const zeroPoint = fc.integer({ min: -128, max: 127 });
const scale = fc.constantFrom(0.004, 0.05, 0.5, 2).map(Math.fround);
const nodeOf = (op: string): QuantizedNode =>
  ({ op, name: op, inputs: ["x"], output: "y", ...(op === "leakyRelu" ? { alpha: 0.25 } : {}) }) as QuantizedNode;

test("tables", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("relu", "relu6", "leakyRelu", "logistic", "tanh", "hardSwish", "quantize"),
      shapes,
      fc.record({ zx: zeroPoint, zy: zeroPoint, sx: scale, ratio: fc.constantFrom(0.5, 1, 3) }),
      settings,
      (op, shape, { zx, zy, sx, ratio }, setting) => {
        const [scale, zeroPoint] = FIXED[op] ?? [Math.fround(sx * ratio), zy];
        const x: Int8Tensor = { dtype: "int8", shape, scale: sx, zeroPoint: zx };
        const y: Int8Tensor = { dtype: "int8", shape, scale, zeroPoint };
        assert.deepEqual(checkNode(caseOf(nodeOf(op), { x, y }, setting)), ["lookUpCodes"]);
      },
    ),
    { numRuns: 300 },
  );
});

test("every code has its entry", () => {
  const tensors = (["x", "y"] as const).map(
    (_, i): Int8Tensor => ({
      dtype: "int8",
      shape: [256],
      scale: 0.02 * (i + 1),
      zeroPoint: 3 - i,
    }),
  );
  const fround = ({ scale, ...rest }: Int8Tensor): Int8Tensor => ({ ...rest, scale: Math.fround(scale) });
  const given = caseOf(
    nodeOf("hardSwish"),
    { x: fround(tensors[0]), y: fround(tensors[1]) },
    { rounding: "integer", borders: 0, seed: 1 },
  );
  assert.deepEqual(checkNode({ ...given, data: { x: Int8Array.from({ length: 256 }, (_, i) => i - 128) } }), [
    "lookUpCodes",
  ]);
});

const floats = fc.oneof(
  fc.float({ noDefaultInfinity: false }),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 1e-45, 3.4e38),
  fc.integer({ min: -300, max: 300 }).map((code) => Math.fround((code + 0.5) * 0.05)),
  fc.integer({ min: -600, max: 600 }).map((code) => code / 4),
);

test("quantize from float32: NaN, infinities, ties, a lower bound of the output", () => {
  fc.assert(
    fc.property(
      shapes,
      fc.record({ zeroPoint, scale, bound: fc.nat(8) }),
      fc.infiniteStream(floats),
      settings,
      (shape, { zeroPoint, scale, bound }, values, setting) => {
        const x: QuantizedTensor = { dtype: "float32", shape };
        const free: Int8Tensor = { dtype: "int8", shape, scale, zeroPoint };
        const y = zeroPoint - bound > -128 ? { ...free, qmin: zeroPoint - bound } : free;
        const data = { x: Float32Array.from({ length: sizeOf(shape) }, () => values.next().value) };
        const given = caseOf(nodeOf("quantize"), { x, y }, setting);
        assert.deepEqual(checkNode({ ...given, data }), ["quantizeF32"]);
      },
    ),
    { numRuns: 300 },
  );
});

test("dequantize", () => {
  fc.assert(
    fc.property(shapes, zeroPoint, scale, settings, (shape, zeroPoint, scale, setting) => {
      const x: Int8Tensor = { dtype: "int8", shape, scale, zeroPoint };
      const given = caseOf(nodeOf("dequantize"), { x, y: { dtype: "float32", shape } }, setting);
      assert.deepEqual(checkNode(given), ["dequantizeF32"]);
    }),
    { numRuns: 200 },
  );
});
