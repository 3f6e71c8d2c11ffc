import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { integerMultiply } from "../../src/reference/integer-multiply.js";
import { asTheyAre } from "./integer-noise.js";

describe("integerMultiply", () => {
  it("multiplies the differences to the zero points, and broadcasts", () => {
    const multiplication = { aZeroPoint: 1, bZeroPoint: -2, requantization: asTheyAre(1, 3) };
    const out = new Int8Array(6);
    const shapes = { a: [2, 1], b: [3], out: [2, 3] };
    integerMultiply(Int8Array.of(3, 0), Int8Array.of(0, -3, 70), multiplication, shapes, out);
    assert.deepEqual(out, Int8Array.of(7, 1, 127, 1, 4, -69));
  });
});
