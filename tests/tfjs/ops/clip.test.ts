import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { clip } from "../../../src/tfjs/ops/clip.js";
import { noise } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, go, PLACES } from "./backends.js";

// Both ends beside what lies around them.
const ENDS = [0, 6, -0, 6 + 2 ** -21, 6 - 2 ** -21, 2 ** -149, -(2 ** -149), -7];

const cases = (["relu", "relu6"] as const).flatMap((activation) =>
  [[2, 5, 3, 17], [9, 6], [71], []].map((shape): Case => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = noise(size, 1).map((v, i) => (i % 3 === 0 ? ENDS[(i / 3) % ENDS.length] : v * 9));
    return {
      what: `${activation} of [${shape}]`,
      op: (x) => clip(x, activation),
      stock: (x) => (activation === "relu" ? tf.relu(x) : tf.relu6(x)),
      inputs: [{ shape, values }],
    };
  }),
);

describe("clip", () => {
  for (const place of PLACES) {
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, cases));
  }

  it("has no second-order gradient", async () => {
    for (const place of ["cpu", "wasm"] as const) {
      await go(place);
      tf.tidy(() => {
        const first = (x: tf.Tensor): tf.Tensor => tf.grad((v) => tf.square(clip(v, "relu")))(x);
        assert.throws(() => tf.grad(first)(tf.tensor1d([1, 2])), {
          message: "Cannot compute gradient: gradient function not found for BitpressClipGradient.",
        });
      });
    }
  });
});
