import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { integerDepthwiseConv2d } from "../../src/reference/integer-depthwise-conv2d.js";
import { requantize } from "../../src/reference/requantize.js";
import { geometryOf, nameOf, WINDOWS } from "../contracts/geometries.js";
import { depthwiseWeights, forwardConv } from "./forward-conv.js";
import { asTheyAre, noisyCodes, shareInside, spread } from "./integer-noise.js";

describe("integerDepthwiseConv2d", () => {
  it("gives each input channel `multiplier` outputs", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 1, 2], kernel: [1, 1], outChannels: 4 });
    const layer = {
      weights: Int8Array.of(1, 2, 3, 4),
      bias: Int32Array.of(0, 0, 0, -100),
      inputZeroPoint: 2,
      requantization: asTheyAre(4, 1),
    };
    const out = new Int8Array(4);
    integerDepthwiseConv2d(Int8Array.of(5, 12), layer, geometry, out);
    assert.deepEqual(out, Int8Array.of(4, 7, 31, -59));
  });

  for (const window of WINDOWS) {
    for (const multiplier of [1, 2]) {
      const outChannels = 3 * multiplier;
      const geometry = geometryOf({ ...window, input: [7, 6, 3], outChannels });
      if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
      it(`is the float convolution of its integers: ${nameOf(geometry)}`, () => {
        const input = noisyCodes(2 * 7 * 6 * 3, 1);
        const weights = noisyCodes(geometry.kernelHeight * geometry.kernelWidth * outChannels, 2);
        const bias = Int32Array.from({ length: outChannels }, (_, c) => 100 * c - 200);
        const inputZeroPoint = 4;
        const centred = Float64Array.from(input, (q) => q - inputZeroPoint);
        const sums = forwardConv(centred, geometry, depthwiseWeights(weights, geometry));
        const requantization = spread(outChannels, geometry.kernelHeight * geometry.kernelWidth);
        const expected = Int8Array.from(sums, (sum, at) =>
          requantize(sum + bias[at % outChannels], requantization, at % outChannels),
        );
        const out = new Int8Array(expected.length);
        integerDepthwiseConv2d(input, { weights, bias, inputZeroPoint, requantization }, geometry, out);
        assert.deepEqual(out, expected);
        assert.ok(shareInside(out, requantization) > 0.5);
      });
    }
  }
});
