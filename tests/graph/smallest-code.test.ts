import assert from "node:assert/strict";
import { test } from "node:test";
import type { QuantizedNode } from "../../src/graph/quantized-graph.js";
import { smallestCode } from "../../src/graph/smallest-code.js";
import { int8 } from "./quantized-sketch.js";

test("what an op gives by itself", () => {
  const output = int8([1], { zeroPoint: 20 });
  const least = (fields: object, ...qmins: (number | undefined)[]): number =>
    smallestCode(
      { name: "n", inputs: [], output: "y", ...fields } as unknown as QuantizedNode,
      qmins.map((qmin) => int8([1], qmin === undefined ? {} : { qmin })),
      output,
    );
  assert.equal(least({ op: "add", activation: "linear" }, 10, 10), -128);
  assert.equal(least({ op: "add", activation: "relu" }, 10, 10), 20);
  assert.equal(least({ op: "conv2d", activation: "relu6" }, undefined), 20);
  assert.equal(least({ op: "relu" }, undefined), 20);
  assert.equal(least({ op: "quantize" }, 50), -128);
  for (const op of ["concat", "reshape", "transpose", "stridedSlice", "resizeNearest", "resizeBilinear"]) {
    assert.equal(least({ op }, 30, 10), 10, op);
    assert.equal(least({ op }, 30, undefined), -128, op);
  }
  assert.equal(least({ op: "pad" }, 30), 20);
  assert.equal(least({ op: "pad" }, 10), 10);
  for (const op of ["maxPool2d", "averagePool2d"]) {
    assert.equal(least({ op, activation: "linear" }, 10), 10, op);
    assert.equal(least({ op, activation: "relu" }, 10), 20, op);
    assert.equal(least({ op, activation: "relu" }, 30), 30, op);
  }
});
