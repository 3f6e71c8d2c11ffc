import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkAccumulators, checkMultipliers, checkRescale } from "../../../src/graph/lower/limits.js";

const REACH =
  "its output's range is far smaller than its inputs' allow: calibrate with samples that reach it, or leave the layer out";

describe("checkAccumulators", () => {
  it("the bound is |bias| + 255 · Σ|weights| < 2^31, per channel", () => {
    const weights = Int8Array.of(1, -1, 127, -127);
    const largest = 2 ** 31 - 1 - 255 * 254;
    checkAccumulators("x", weights, 2, Int32Array.of(2 ** 31 - 1 - 255 * 2, -largest));
    assert.throws(() => checkAccumulators('lower: "fc" (Dense)', weights, 2, Int32Array.of(0, -largest - 1)), {
      name: "QuantError",
      code: "unsupported",
      message:
        'lower: "fc" (Dense): expected |bias| + 255 · Σ|weights| < 2^31, got 2147483648 at channel 1; make the layer smaller, or give its weights fewer bits',
    });
  });

  it("66 311 weights of 127 are the most without a bias", () => {
    checkAccumulators("x", new Int8Array(66_311).fill(-127), 1, undefined);
    assert.throws(() => checkAccumulators("x", new Int8Array(66_312).fill(-127), 1, undefined), {
      code: "unsupported",
    });
  });
});

describe("checkMultipliers", () => {
  it("below 2^8 for every channel", () => {
    checkMultipliers("x", 1, [255.99, 1e-30], 1);
    assert.throws(() => checkMultipliers('lower: "c" (Conv2D)', 0.5, Float32Array.of(1, 512), 1), {
      code: "unsupported",
      message: `lower: "c" (Conv2D): expected input scale · weight scale / output scale < 256, got 256 at channel 1; ${REACH}`,
    });
  });
});

describe("checkRescale", () => {
  it("below 2^8", () => {
    checkRescale("x", 255, 1);
    assert.throws(() => checkRescale('lower: "sum" (Add)', 128, 0.5), {
      code: "unsupported",
      message: `lower: "sum" (Add): expected input scale / output scale < 256, got 256; ${REACH}`,
    });
  });
});
