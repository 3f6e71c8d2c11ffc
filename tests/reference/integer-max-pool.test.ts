import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { integerMaxPool } from "../../src/reference/integer-max-pool.js";
import { geometryOf } from "../contracts/geometries.js";

const GRID = { qmin: -128, qmax: 127 };

describe("integerMaxPool", () => {
  it("takes the largest of each window and channel", () => {
    const geometry = geometryOf({ batch: 1, input: [2, 4, 2], kernel: [2, 2], outChannels: 2, strides: [2, 2] });
    const input = Int8Array.of(1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8);
    const out = new Int8Array(4);
    integerMaxPool(input, GRID, geometry, out);
    assert.deepEqual(out, Int8Array.of(6, -1, 8, -3));
  });

  it("leaves padding out, which would be larger", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 2, 1], kernel: [3, 3], outChannels: 1 });
    const out = new Int8Array(2);
    integerMaxPool(Int8Array.of(-128, -120), GRID, geometry, out);
    assert.deepEqual(out, Int8Array.of(-120, -120));
  });

  it("clamps to the activation's bounds", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 3, 1], kernel: [1, 1], outChannels: 1 });
    const out = new Int8Array(3);
    integerMaxPool(Int8Array.of(-50, 5, 90), { qmin: -10, qmax: 20 }, geometry, out);
    assert.deepEqual(out, Int8Array.of(-10, 5, 20));
  });
});
