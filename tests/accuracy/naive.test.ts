import assert from "node:assert/strict";
import { before, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { fashionMnist, type ImageSet, mnist } from "../../examples/data/idx.js";
import { modelFolder } from "../../examples/data/models.js";
import { accuracy, loadModel, startTensorflow } from "../../examples/evaluate.js";
import { NaiveQuantizer } from "../../src/tfjs/naive-quantizer.js";

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

describe("8-bit weights cost at most 0.1 point of accuracy on the full test sets", () => {
  before(startTensorflow);

  it("MNIST", (t) => check(t, "mnist-cnn", mnist("t10k"), 9901));

  it("Fashion-MNIST", async (t) => {
    const set = fashionMnist("t10k");
    if (typeof set === "string") t.skip(set);
    else await check(t, "fashion-cnn", set, 9068);
  });
});

/** @param expected images of 10 000 that the float model gets right */
async function check(t: TestContext, name: string, set: ImageSet, expected: number): Promise<void> {
  assert.equal(set.count, 10000);
  const folder = fileURLToPath(new URL(`../../examples/models/${name}`, import.meta.url));
  const model = await loadModel(modelFolder(folder));
  const float = accuracy(model, set);
  assert.equal(Math.round(10000 * float), expected);
  for (const granularity of ["perChannel", "perTensor"] as const) {
    const quantized = accuracy(new NaiveQuantizer({ granularity }).compress(model), set);
    t.diagnostic(`${name}, ${granularity}: ${percent(float)} → ${percent(quantized)}`);
    const gained = Math.round(10000 * quantized) - expected;
    assert.ok(gained >= -10, `${gained} images of 10 000`);
    // A scale per tensor happens to gain 13 images on Fashion-MNIST (90.81 %): no loss, and no merit either.
    if (granularity === "perChannel") assert.ok(gained <= 10, `${gained} images of 10 000`);
  }
}
