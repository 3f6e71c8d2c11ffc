import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { integerFullyConnected } from "../../src/reference/integer-fully-connected.js";
import { asTheyAre } from "./integer-noise.js";

describe("integerFullyConnected", () => {
  const weights = Int8Array.of(1, 2, 3, -1, 0, 127);

  it("multiplies each row by [out, in], after its zero point is taken off", () => {
    const layer = { weights, bias: Int32Array.of(10, -20), inputZeroPoint: -2, requantization: asTheyAre(2, 3) };
    const out = new Int8Array(4);
    integerFullyConnected(Int8Array.of(0, 1, 2, -2, -2, -2), layer, { inChannels: 3, outChannels: 2 }, out);
    assert.deepEqual(out, Int8Array.of(2 + 6 + 12 + 13, 127, 13, -17));
  });

  it("does without a bias", () => {
    const layer = { weights, inputZeroPoint: 0, requantization: asTheyAre(2) };
    const out = new Int8Array(2);
    integerFullyConnected(Int8Array.of(1, 1, 1), layer, { inChannels: 3, outChannels: 2 }, out);
    assert.deepEqual(out, Int8Array.of(6, 126));
  });
});
