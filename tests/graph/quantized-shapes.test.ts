import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { QuantError } from "../../src/core/errors.js";
import type { QuantizedNode } from "../../src/graph/quantized-graph.js";
import { inferQuantizedShape, isQuantizedShape } from "../../src/graph/quantized-shapes.js";

type Sizes = readonly number[];

function infer(fields: object, inputs: readonly Sizes[], claimed: Sizes = []): Sizes {
  const names = inputs.map((_, i) => `x${i}`);
  return inferQuantizedShape(
    { name: "n", output: "y", inputs: names, ...fields } as unknown as QuantizedNode,
    inputs,
    claimed,
  );
}

const window = { strides: [2, 1], dilations: [1, 1], padding: "same" };
const pool = { op: "maxPool2d", poolSize: [3, 2], ...window };
const slice = { op: "stridedSlice", begin: [0, 1], strides: [1, 2] };

describe("shapes that follow", () => {
  const cases: readonly [title: string, fields: object, inputs: readonly Sizes[], expected: Sizes][] = [
    ["conv, same", { op: "conv2d", ...window, weightsShape: [5, 3, 3, 2] }, [[1, 7, 7, 2]], [1, 4, 7, 5]],
    [
      "conv, valid",
      { op: "conv2d", ...window, padding: "valid", weightsShape: [5, 3, 2, 2] },
      [[1, 7, 7, 2]],
      [1, 3, 6, 5],
    ],
    [
      "conv, dilated",
      { op: "conv2d", ...window, dilations: [2, 3], padding: "valid", weightsShape: [5, 3, 2, 2] },
      [[1, 7, 7, 2]],
      [1, 2, 4, 5],
    ],
    [
      "depthwise",
      { op: "depthwiseConv2d", ...window, weightsShape: [3, 3, 6], multiplier: 3 },
      [[1, 4, 4, 2]],
      [1, 2, 4, 6],
    ],
    ["fc", { op: "fullyConnected", weightsShape: [5, 6], keepDims: false }, [[2, 3, 4]], [4, 5]],
    [
      "fc that keeps dimensions",
      { op: "fullyConnected", weightsShape: [5, 4], keepDims: true },
      [[2, 3, 4]],
      [2, 3, 5],
    ],
    ["pool", pool, [[1, 7, 7, 2]], [1, 4, 7, 2]],
    [
      "sizes that broadcast",
      { op: "add" },
      [
        [1, 4, 1, 3],
        [1, 1, 5, 1],
      ],
      [1, 4, 5, 3],
    ],
    ["a scalar beside", { op: "multiply" }, [[1, 4], []], [1, 4]],
    ["missing axes", { op: "subtract" }, [[3], [1, 4, 3]], [1, 4, 3]],
    [
      "concat",
      { op: "concat", axis: 1 },
      [
        [1, 4, 3],
        [1, 2, 3],
        [1, 1, 3],
      ],
      [1, 7, 3],
    ],
    ["mean", { op: "mean", axes: [1, 2], keepDims: false }, [[1, 4, 5, 3]], [1, 3]],
    ["mean that keeps", { op: "mean", axes: [1, 2], keepDims: true }, [[1, 4, 5, 3]], [1, 1, 1, 3]],
    [
      "pad",
      {
        op: "pad",
        padding: [
          [0, 0],
          [1, 2],
        ],
      },
      [[1, 4]],
      [1, 7],
    ],
    ["transpose", { op: "transpose", permutation: [0, 2, 1] }, [[1, 4, 5]], [1, 5, 4]],
    ["argMax", { op: "argMax", axis: 1 }, [[1, 4, 5]], [1, 5]],
    ["elementwise", { op: "tanh" }, [[1, 4]], [1, 4]],
  ];
  for (const [title, fields, inputs, expected] of cases) {
    test(title, () => assert.deepEqual(infer(fields, inputs), expected));
  }
});

test("what the output says by itself is checked and returned", () => {
  assert.deepEqual(infer({ op: "reshape" }, [[1, 6]], [2, 3]), [2, 3]);
  assert.deepEqual(infer(slice, [[1, 6]], [1, 3]), [1, 3]);
  assert.deepEqual(infer({ op: "resizeNearest" }, [[1, 2, 3, 4]], [1, 7, 7, 4]), [1, 7, 7, 4]);
});

describe("what does not fit", () => {
  const cases: readonly [message: string, fields: object, inputs: readonly Sizes[], claimed?: Sizes][] = [
    ['maxPool2d "n": expected an input [batch, height, width, channels], got [1, 7, 7]', pool, [[1, 7, 7]]],
    ['concat "n": expected 1 inputs, got 0', { op: "concat", axis: 0 }, []],
    ['concat "n": expected an axis of integers in [0, 1], got 2', { op: "concat", axis: 2 }, [[1, 2]]],
    [
      'concat "n": expected inputs that differ from [1, 2] in axis 1 only, got [2, 2]',
      { op: "concat", axis: 1 },
      [
        [1, 2],
        [2, 2],
      ],
    ],
    [
      'add "n": expected inputs whose sizes are equal or 1 beside [1, 4], got [1, 3]',
      { op: "add" },
      [
        [1, 4],
        [1, 3],
      ],
    ],
    [
      'fullyConnected "n": expected an input of a multiple of 5 elements, got [2, 3]',
      { op: "fullyConnected", weightsShape: [1, 5], keepDims: false },
      [[2, 3]],
    ],
    [
      'fullyConnected "n": expected an input whose last size is 6, got [2, 3]',
      { op: "fullyConnected", weightsShape: [1, 6], keepDims: true },
      [[2, 3]],
    ],
    ['mean "n": expected ascending axes, got [1, 1]', { op: "mean", axes: [1, 1], keepDims: true }, [[1, 2]]],
    ['mean "n": expected ascending axes, got []', { op: "mean", axes: [], keepDims: true }, [[1, 2]]],
    ['pad "n": expected padding of 2 axes, got 1', { op: "pad", padding: [[0, 0]] }, [[1, 2]]],
    [
      'pad "n": expected padding of integers in [0, 2147483647], got -1',
      {
        op: "pad",
        padding: [
          [0, 0],
          [0, -1],
        ],
      },
      [[1, 2]],
    ],
    [
      'transpose "n": expected a permutation of the 2 axes, got [0, 0]',
      { op: "transpose", permutation: [0, 0] },
      [[1, 2]],
    ],
    ['stridedSlice "n": expected a slice of [1, 6], got [1, 4]', slice, [[1, 6]], [1, 4]],
    ['stridedSlice "n": expected begin, strides and an output of 2 axes, got [3]', slice, [[1, 6]], [3]],
    [
      'resizeNearest "n": expected an output [1, height, width, 4], got [1, 7, 7, 5]',
      { op: "resizeNearest" },
      [[1, 2, 3, 4]],
      [1, 7, 7, 5],
    ],
    ['softmax "n": expected an input with an axis, got []', { op: "softmax" }, [[]]],
  ];
  for (const [message, fields, inputs, claimed] of cases) {
    test(message, () => {
      assert.throws(
        () => infer(fields, inputs, claimed),
        (error) => {
          assert.ok(error instanceof QuantError, String(error));
          assert.deepEqual([error.code, error.message], ["invalid-model", message]);
          return true;
        },
      );
    });
  }
});

test("sizes are integers ≥ 1, at most 8, of fewer than 2^31 elements", () => {
  for (const shape of [[], [1], [1, 2, 3, 4, 5, 6, 7, 8], [2 ** 31 - 1]]) assert.equal(isQuantizedShape(shape), true);
  for (const shape of [[0], [1.5], [-1], [Number.NaN], [2 ** 31], [65536, 65536], Array(9).fill(1)]) {
    assert.equal(isQuantizedShape(shape), false);
  }
});
