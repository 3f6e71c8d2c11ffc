import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { conv2d } from "../../../src/tfjs/ops/conv2d.js";
import { CHANNELS } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, go, kernelsOf, PLACES } from "./backends.js";
import { dilated, SETTINGS } from "./convolutions.js";

const OPTIONS = SETTINGS[0];

const cases = SETTINGS.flatMap(({ kernel, ...options }) =>
  CHANNELS.map((inChannels, i): Case => {
    const outChannels = CHANNELS[(i + 3) % CHANNELS.length];
    const { strides, dilations, padding } = options;
    return {
      what: `kernel ${kernel}, ${JSON.stringify(options)}, channels ${inChannels} to ${outChannels}`,
      op: (x, w) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, options),
      stock: (x, w) => tf.conv2d(x as tf.Tensor4D, dilated(w, dilations), strides, padding),
      inputs: [{ shape: [2, 7, 6, inChannels] }, { shape: [...kernel, inChannels, outChannels] }],
    };
  }),
);

describe("conv2d", () => {
  for (const place of PLACES) {
    // Stock ops have no gradient of dilated convolutions.
    const here = place.startsWith("a backend") ? cases.filter(({ what }) => what.includes('"dilations":[1,1]')) : cases;
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, here));
  }

  it("computes only the gradients that are asked for", async () => {
    await go("wasm");
    const [x, w] = [tf.ones([1, 4, 4, 2]), tf.ones([3, 3, 2, 2])] as [tf.Tensor4D, tf.Tensor4D];
    assert.deepEqual(await kernelsOf(() => tf.grad((f) => conv2d(x, f as tf.Tensor4D, OPTIONS))(w)), [
      "BitpressConv2d",
      "BitpressConv2dBackpropFilter",
    ]);
    assert.deepEqual(await kernelsOf(() => tf.grad((v) => conv2d(v as tf.Tensor4D, w, OPTIONS))(x)), [
      "BitpressConv2d",
      "BitpressConv2dBackpropInput",
    ]);
    tf.dispose([x, w]);
  });

  it("says what does not fit", async () => {
    await go("cpu");
    tf.tidy(() => {
      const x = tf.ones([1, 4, 4, 2]) as tf.Tensor4D;
      const filter = (...shape: number[]): tf.Tensor4D => tf.ones(shape as [number, number, number, number]);
      assert.throws(() => conv2d(x, filter(3, 3, 3, 5), OPTIONS), {
        name: "RangeError",
        message: "conv2d: expected filter [3, 3, 2, 5], got [3, 3, 3, 5]",
      });
      assert.throws(() => conv2d(x, filter(3, 3), OPTIONS), {
        name: "RangeError",
        message: "conv2d: expected filter of rank 4, got [3, 3]",
      });
      assert.throws(() => conv2d(tf.ones([4, 4, 2]) as unknown as tf.Tensor4D, filter(3, 3, 2, 5), OPTIONS), {
        name: "RangeError",
        message: "conv2d: expected x of rank 4, got [4, 4, 2]",
      });
      assert.throws(() => conv2d(x, filter(3, 3, 2, 5), { ...OPTIONS, strides: [2, 1], dilations: [1, 2] }), {
        name: "RangeError",
        message: "conv2d: expected strides or dilations of 1, got strides 2,1, dilations 1,2",
      });
      assert.throws(() => conv2d(x.toInt(), filter(3, 3, 2, 5), OPTIONS), {
        name: "TypeError",
        message: "BitpressConv2d: expected x to be float32, got int32",
      });
    });
  });
});
