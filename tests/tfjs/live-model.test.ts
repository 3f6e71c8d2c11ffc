// In a file of its own: a second copy of tfjs-layers takes over the shared registry of layer classes.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { NaiveQuantizer } from "../../src/tfjs/naive-quantizer.js";

it("a model of a second copy of tfjs is refused, by name", () => {
  const require = createRequire(import.meta.url);
  const second = require("@tensorflow/tfjs-layers/dist/tf-layers.js") as typeof tf;
  assert.notEqual(second.LayersModel, tf.LayersModel);
  const model = second.sequential({ layers: [second.layers.dense({ units: 2, inputShape: [2] })] });
  assert.throws(() => new NaiveQuantizer().compress(model), {
    name: "TypeError",
    message:
      "NaiveQuantizer.compress: expected a tf.LayersModel or tf.GraphModel of the same @tensorflow/tfjs, got [object Object]",
  });
});
