import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sizeOf } from "../../src/core/shape.js";
import type { Int8Tensor, IntegerArithmeticNode } from "../../src/graph/quantized-graph.js";
import { planArithmetic } from "../../src/runtime/arithmetic-step.js";
import { codesOf } from "./random-layers.js";
import { caseOf, checkNode, expectedOf, settings } from "./run-node.js";

const int8 = (shape: readonly number[], scale = 0.5, zeroPoint = 0): Int8Tensor => ({
  dtype: "int8",
  shape,
  scale,
  zeroPoint,
});

const nodeOf = (op: IntegerArithmeticNode["op"], activation: IntegerArithmeticNode["activation"] = "linear") =>
  ({ op, name: op, inputs: ["a", "b"], output: "y", activation }) as const;

const plain = { rounding: "integer", borders: 0, seed: 1 } as const;
const zeroPoint = fc.integer({ min: -128, max: 127 });
/** Scales from a twentieth to seven times the output's. */
const scale = fc.constantFrom(0.05, 0.3, 1, 1.7, 3.5).map(Math.fround);

test("add, subtract and multiply with any broadcast, one code for all and constants among them", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.record({
        shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
        channels: fc.integer({ min: 1, max: 20 }),
        kept: fc.tuple(fc.nat(63), fc.nat(63)),
        dropped: fc.tuple(fc.nat(3), fc.nat(3)),
        constant: fc.boolean(),
        op: fc.constantFrom("add", "subtract", "multiply"),
        activation: fc.constantFrom("linear", "relu", "relu6"),
        scales: fc.tuple(scale, scale),
        zeroPoints: fc.tuple(zeroPoint, zeroPoint, zeroPoint),
      }),
      settings,
      ({ shape, channels, kept, dropped, constant, op, activation, scales, zeroPoints }, setting) => {
        const full = [...shape, channels];
        const shapes = kept.map((bits, i) =>
          full.map((size, axis) => ((bits >> axis) & 1 ? size : 1)).slice(dropped[i]),
        );
        const outShape = full.map((_, i) => Math.max(...shapes.map((own) => own[i - full.length + own.length] ?? 1)));
        const rank = Math.max(...shapes.map(({ length }) => length));
        const [a, b] = shapes.map((own, i) => int8(own, scales[i], zeroPoints[i]));
        const data = { data: codesOf(sizeOf(b.shape), setting.seed + 9) };
        const tensors = {
          a,
          b: constant ? { ...b, ...data } : b,
          y: int8(outShape.slice(outShape.length - rank), 1, zeroPoints[2]),
        };
        for (const kernel of checkNode(caseOf(nodeOf(op, activation), tensors, setting))) seen.add(kernel);
      },
    ),
    { numRuns: 400 },
  );
  assert.deepEqual([...seen].sort(), ["addCodes", "addTables", "multiplyCodes"]);
});

test("a run of every length, and one that is longer than what waits for its requantization", () => {
  for (const op of ["add", "subtract", "multiply"] as const) {
    for (const length of [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 520, 1030]) {
      for (const rounding of ["integer", "tflite", "float32"] as const) {
        const tensors = { a: int8([length]), b: int8([length], 0.25, 3), y: int8([length], 0.75, -5) };
        checkNode(caseOf(nodeOf(op), tensors, { ...plain, rounding, seed: length }));
      }
    }
  }
});

test("ties go up, and codes saturate", () => {
  const tensors = { a: int8([6], 1), b: int8([6], 1), y: int8([6], 2) };
  const given = caseOf(nodeOf("add"), tensors, plain);
  const data = { a: Int8Array.of(1, -1, 3, -3, 127, -128), b: Int8Array.of(0, 0, 0, 0, 127, -128) };
  assert.deepEqual(checkNode({ ...given, data }), ["addCodes"]);
  assert.deepEqual(expectedOf({ ...given, data }), Int8Array.of(1, 0, 2, -1, 127, -128));
});

test("an input that is both", () => {
  const tensors = { a: int8([2, 3, 3, 5]), y: int8([2, 3, 3, 5]) };
  const given = caseOf({ ...nodeOf("multiply"), inputs: ["a", "a"] }, tensors, { ...plain, borders: 15 });
  assert.deepEqual(checkNode(given), ["multiplyCodes"]);
});

test("sums that do not fit 32 bits have no kernel, up to the last scale that does", () => {
  const planned = (scale: number): boolean =>
    planArithmetic(nodeOf("add"), [int8([4], scale), int8([4], 2 ** -20)], int8([4], 1), "integer") !== undefined;
  // 128 · rne(scale · 2^20) + 128 + 2^19 < 2^31
  assert.deepEqual([planned(15.99), planned(16)], [true, false]);
  const tensors = { a: int8([64], Math.fround(15.99)), b: int8([64], 2 ** -20), y: int8([64], 1) };
  assert.deepEqual(checkNode(caseOf(nodeOf("subtract"), tensors, plain)), ["addCodes"]);
});
