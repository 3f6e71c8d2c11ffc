import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IntegerConv2dNode, IntegerPool2dNode } from "../../src/graph/quantized-graph.js";
import { windowGeometry } from "../../src/runtime/window-geometry.js";
import { geometryOf } from "../contracts/geometries.js";

describe("windowGeometry", () => {
  for (const padding of ["same", "valid"] as const) {
    it(`conv2d ${padding}`, () => {
      const node = { op: "conv2d", weightsShape: [5, 3, 2, 4], strides: [2, 1], dilations: [1, 2], padding };
      const expected = geometryOf({
        input: [8, 7, 4],
        kernel: [3, 2],
        outChannels: 5,
        strides: [2, 1],
        dilations: [1, 2],
        pad: padding,
      });
      const output = [2, expected.outHeight, expected.outWidth, 5];
      assert.deepEqual(windowGeometry(node as unknown as IntegerConv2dNode, [2, 8, 7, 4], output), expected);
    });
  }

  it("depthwise: weights [kh, kw, out]", () => {
    const node = {
      op: "depthwiseConv2d",
      weightsShape: [3, 2, 8],
      strides: [1, 1],
      dilations: [1, 1],
      padding: "same",
    };
    const expected = geometryOf({ batch: 1, input: [5, 5, 4], kernel: [3, 2], outChannels: 8 });
    assert.deepEqual(windowGeometry(node as unknown as IntegerConv2dNode, [1, 5, 5, 4], [1, 5, 5, 8]), expected);
  });

  it("pools have no dilation; strides beyond the window need no padding", () => {
    const node = { op: "maxPool2d", poolSize: [2, 2], strides: [3, 3], padding: "same" };
    const expected = geometryOf({ batch: 1, input: [4, 4, 2], kernel: [2, 2], outChannels: 2, strides: [3, 3] });
    assert.deepEqual(windowGeometry(node as unknown as IntegerPool2dNode, [1, 4, 4, 2], [1, 2, 2, 2]), expected);
    assert.equal(expected.padTop, 0);
  });
});
