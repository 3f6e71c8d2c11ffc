import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { integerAveragePool } from "../../src/reference/integer-average-pool.js";
import { geometryOf } from "../contracts/geometries.js";

const GRID = { qmin: -128, qmax: 127 };

describe("integerAveragePool", () => {
  it("rounds to nearest, ties away from code 0", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 2, 6], kernel: [1, 2], outChannels: 6, pad: "valid" });
    const input = Int8Array.of(1, 3, -1, -3, 127, -128, 0, 0, 0, 0, 127, -128);
    const out = new Int8Array(6);
    integerAveragePool(input, GRID, geometry, out);
    assert.deepEqual(out, Int8Array.of(1, 2, -1, -2, 127, -128));
  });

  it("divides by the pixels on the image, not by the window", () => {
    const geometry = geometryOf({ batch: 1, input: [2, 2, 1], kernel: [3, 3], outChannels: 1, strides: [2, 2] });
    const out = new Int8Array(1);
    integerAveragePool(Int8Array.of(10, 20, 30, 41), GRID, geometry, out);
    assert.deepEqual(out, Int8Array.of(25));
    const wide = geometryOf({ batch: 1, input: [1, 3, 1], kernel: [1, 3], outChannels: 1 });
    const three = new Int8Array(3);
    integerAveragePool(Int8Array.of(-10, -21, -2), GRID, wide, three);
    assert.deepEqual(three, Int8Array.of(-16, -11, -12));
  });

  it("clamps to the activation's bounds", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 2, 1], kernel: [1, 1], outChannels: 1 });
    const out = new Int8Array(2);
    integerAveragePool(Int8Array.of(-50, 90), { qmin: 3, qmax: 20 }, geometry, out);
    assert.deepEqual(out, Int8Array.of(3, 20));
  });
});
