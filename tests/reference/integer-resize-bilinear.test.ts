import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BilinearRule, integerResizeBilinear } from "../../src/reference/integer-resize-bilinear.js";
import { resizeAxis } from "../../src/reference/resize-positions.js";

const PLAIN = { alignCorners: false, halfPixelCenters: false };

function rule(inSize: number, outSize: number, ties: BilinearRule["ties"]): BilinearRule {
  const axis = resizeAxis(inSize, outSize, PLAIN, "integer");
  return { rows: axis, columns: axis, bits: 10, ties };
}

describe("integerResizeBilinear", () => {
  const sizes = { batch: 1, inHeight: 2, inWidth: 2, inChannels: 1, outHeight: 4, outWidth: 4 };
  const input = Int8Array.of(0, 2, -4, -5);

  it("averages four pixels, ties up", () => {
    const out = new Int8Array(16);
    integerResizeBilinear(input, rule(2, 4, "up"), sizes, out);
    // rows 0 and 2: 0 1 2 2, −4 −4.5 −5 −5; row 1: −2 −1.75 −1.5 −1.5
    assert.deepEqual(out, Int8Array.of(0, 1, 2, 2, -2, -2, -1, -1, -4, -4, -5, -5, -4, -4, -5, -5));
  });

  it("averages four pixels, ties away from code 0", () => {
    const out = new Int8Array(16);
    integerResizeBilinear(input, rule(2, 4, "away"), sizes, out);
    assert.deepEqual(out, Int8Array.of(0, 1, 2, 2, -2, -2, -2, -2, -4, -5, -5, -5, -4, -5, -5, -5));
  });

  it("keeps images and channels apart", () => {
    const wide = { ...sizes, batch: 2, inChannels: 2, outHeight: 2, outWidth: 2 };
    const codes = Int8Array.from({ length: 16 }, (_, i) => 3 * i - 20);
    const out = new Int8Array(16);
    integerResizeBilinear(codes, rule(2, 2, "up"), wide, out);
    assert.deepEqual(out, codes);
  });
});
