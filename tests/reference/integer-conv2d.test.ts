import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { integerConv2d } from "../../src/reference/integer-conv2d.js";
import { requantize } from "../../src/reference/requantize.js";
import { geometryOf, nameOf, WINDOWS } from "../contracts/geometries.js";
import { forwardConv } from "./forward-conv.js";
import { asTheyAre, noisyCodes, shareInside, spread } from "./integer-noise.js";

describe("integerConv2d", () => {
  it("subtracts the input's zero point, which is what padding holds, and adds the bias", () => {
    const geometry = geometryOf({ batch: 1, input: [2, 2, 1], kernel: [3, 3], outChannels: 2 });
    const weights = Int8Array.of(...new Int8Array(9).fill(1), ...new Int8Array(9).fill(-2));
    const layer = { weights, bias: Int32Array.of(0, 5), inputZeroPoint: 10, requantization: asTheyAre(2) };
    const out = new Int8Array(8);
    integerConv2d(Int8Array.of(11, 12, 13, 14), layer, geometry, out);
    assert.deepEqual(out, Int8Array.of(10, -15, 10, -15, 10, -15, 10, -15));
  });

  it("does without a bias", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 1, 2], kernel: [1, 1], outChannels: 1 });
    const layer = { weights: Int8Array.of(3, -4), inputZeroPoint: -1, requantization: asTheyAre(1, 7) };
    const out = new Int8Array(1);
    integerConv2d(Int8Array.of(4, 1), layer, geometry, out);
    assert.deepEqual(out, Int8Array.of(3 * 5 - 4 * 2 + 7));
  });

  for (const window of WINDOWS) {
    const geometry = geometryOf({ ...window, input: [7, 6, 3], outChannels: 4 });
    if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
    it(`is the float convolution of its integers: ${nameOf(geometry)}`, () => {
      const { kernelHeight, kernelWidth } = geometry;
      const input = noisyCodes(2 * 7 * 6 * 3, 1);
      const weights = noisyCodes(4 * kernelHeight * kernelWidth * 3, 2);
      const bias = Int32Array.of(-300, 0, 20, 1000);
      const inputZeroPoint = -3;
      const centred = Float64Array.from(input, (q) => q - inputZeroPoint);
      const sums = forwardConv(
        centred,
        geometry,
        (i, j, c, o) => weights[((o * kernelHeight + i) * kernelWidth + j) * 3 + c],
      );
      const requantization = spread(4, kernelHeight * kernelWidth * 3);
      const expected = Int8Array.from(sums, (sum, at) => requantize(sum + bias[at % 4], requantization, at % 4));
      const out = new Int8Array(expected.length);
      integerConv2d(input, { weights, bias, inputZeroPoint, requantization }, geometry, out);
      assert.deepEqual(out, expected);
      assert.ok(shareInside(out, requantization) > 0.5);
    });
  }
});
