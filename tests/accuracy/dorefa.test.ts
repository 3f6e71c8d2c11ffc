import assert from "node:assert/strict";
import { before, test } from "node:test";
import { firstImages, mnist } from "../../examples/data/idx.js";
import { DOREFA_RATE, trainDorefa } from "../../examples/dorefa-training.js";
import { startTensorflow } from "../../examples/evaluate.js";
import { lenet } from "../../examples/lenet.js";
import { RoundsGradient } from "../../scripts/dorefa-accuracy/rounds-gradient.js";

const TRAINING = { weightBits: 1, activationBits: 2, learningRate: DOREFA_RATE, epochs: 1, images: 6400, seed: 1 };

before(startTensorflow);

// One seed and a thirtieth of the training that npm run accuracy -- dorefa does: enough to tell gradients that are right on average
// from gradients that are not.
test("MNIST in 1-2-4: 100 steps of training reach 90 %; without noise in the gradients, at least 5 points less", async (t) => {
  const [training, all] = [mnist("train"), firstImages(mnist("t10k"), 2000)];
  const rounded = await trainDorefa(lenet(1), training, all, { ...TRAINING, gradientBits: 4 });
  let tensor = 0;
  const noiseless = lenet(1, (layer) => {
    const rounding = { bits: 4, noise: "none", seed: 1, tensor: tensor++ } as const;
    return new RoundsGradient({ name: `${layer}_gradient`, rounding });
  });
  const without = await trainDorefa(noiseless, training, all, { ...TRAINING, gradientBits: 32 });
  t.diagnostic(`with noise ${rounded.accuracy}, without noise ${without.accuracy}`);
  assert.ok(rounded.accuracy > 0.9, `expected at least 0.9, got ${rounded.accuracy}`);
  assert.ok(without.accuracy < rounded.accuracy - 0.05, `expected no noise to fail, got ${without.accuracy}`);
});
