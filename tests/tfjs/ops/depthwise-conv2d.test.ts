import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { depthwiseConv2d } from "../../../src/tfjs/ops/depthwise-conv2d.js";
import { CHANNELS } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, go, kernelsOf, PLACES } from "./backends.js";
import { dilated, SETTINGS } from "./convolutions.js";

const OPTIONS = SETTINGS[0];

const cases = SETTINGS.flatMap(({ kernel, ...options }) =>
  CHANNELS.map((channels, i): Case => {
    const multiplier = 1 + (i % 3);
    const { strides, dilations, padding } = options;
    return {
      what: `kernel ${kernel}, ${JSON.stringify(options)}, channels ${channels}, multiplier ${multiplier}`,
      op: (x, w) => depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, options),
      stock: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, dilated(w, dilations), strides, padding),
      inputs: [{ shape: [2, 7, 6, channels] }, { shape: [...kernel, channels, multiplier] }],
    };
  }),
);

describe("depthwiseConv2d", () => {
  for (const place of PLACES) {
    // Stock ops have no gradient of dilated convolutions.
    const here = place.startsWith("a backend") ? cases.filter(({ what }) => what.includes('"dilations":[1,1]')) : cases;
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, here));
  }

  it("computes only the gradients that are asked for", async () => {
    await go("wasm");
    const [x, w] = [tf.ones([1, 4, 4, 2]), tf.ones([3, 3, 2, 2])] as [tf.Tensor4D, tf.Tensor4D];
    assert.deepEqual(await kernelsOf(() => tf.grad((f) => depthwiseConv2d(x, f as tf.Tensor4D, OPTIONS))(w)), [
      "BitpressDepthwiseConv2d",
      "BitpressDepthwiseConv2dBackpropFilter",
    ]);
    assert.deepEqual(await kernelsOf(() => tf.grad((v) => depthwiseConv2d(v as tf.Tensor4D, w, OPTIONS))(x)), [
      "BitpressDepthwiseConv2d",
      "BitpressDepthwiseConv2dBackpropInput",
    ]);
    tf.dispose([x, w]);
  });

  it("says what does not fit", async () => {
    await go("cpu");
    tf.tidy(() => {
      const [x, filter] = [tf.ones([1, 4, 4, 2]), tf.ones([3, 3, 3, 1])] as [tf.Tensor4D, tf.Tensor4D];
      assert.throws(() => depthwiseConv2d(x, filter, OPTIONS), {
        name: "RangeError",
        message: "depthwiseConv2d: expected filter [3, 3, 2, 1], got [3, 3, 3, 1]",
      });
    });
  });
});
