import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { LayersModel } from "@tensorflow/tfjs";
import { firstImages, mnist } from "../../examples/data/idx.js";
import { modelFolder } from "../../examples/data/models.js";
import { accuracy, loadModel, startTensorflow } from "../../examples/evaluate.js";
import { trainQuantized } from "../../examples/quantized-training.js";

const folder = join(fileURLToPath(new URL("../..", import.meta.url)), "examples/models/mnist-cnn");

before(startTensorflow);

// One seed and a third of the training that npm run accuracy does (three seeds: 57.79 calibrated, 96.5 trained): enough to tell
// training that works from training that does not.
test("MNIST with 2-bit weights: 6400 images of training bring back most of what calibration alone loses", async (t) => {
  const model = (await loadModel(modelFolder(folder))) as LayersModel;
  const test = firstImages(mnist("t10k"), 2000);
  const float = accuracy(model, test);
  const training = { weightBits: 2, activationBits: 8, epochs: 1, images: 6400, seed: 1 };
  const { calibrated, trained } = await trainQuantized(model, mnist("train"), test, training);
  t.diagnostic(`float ${float}, calibrated ${calibrated}, trained ${trained}`);
  assert.ok(calibrated < 0.7, `expected calibration alone to fail, got ${calibrated}`);
  assert.ok(trained > 0.9, `expected training to reach 0.9, got ${trained}`);
});
