import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bitsOf, type Plan, planRuns, WIDTHS } from "../../../scripts/dorefa-accuracy/plan.js";

const short = ({ set, bits, noise, seed, epochs }: Plan) => `${set} ${bits} ${noise ?? "-"} ${seed} ${epochs}`;

describe("planRuns", () => {
  it("by default: every width on both sets, 3 epochs, one seed; then the ablation, short", () => {
    const plans = planRuns([]);
    const ablation = ["1-2-32 -", "1-2-4 element", "1-2-4 sample", "1-2-4 none"];
    assert.deepEqual(plans.map(short), [
      ...WIDTHS.map((bits) => `mnist ${bits} - 1 3`),
      ...WIDTHS.map((bits) => `fashion ${bits} - 1 3`),
      ...ablation.map((run) => `mnist ${run} 1 1`),
    ]);
    assert.deepEqual(
      plans.map(({ images }) => images),
      [...Array(20).fill(60_000), ...Array(4).fill(20_000)],
    );
    assert.ok(plans.every(({ judgedOn }) => judgedOn === "test"));
  });

  it("--full: 10 epochs and three seeds, the first seed of everything first", () => {
    const plans = planRuns(["--full", "mnist", "1-2-4", "1-1-4"]);
    assert.deepEqual(
      plans.map(short),
      [1, 2, 3].flatMap((seed) => [`mnist 1-2-4 - ${seed} 10`, `mnist 1-1-4 - ${seed} 10`]),
    );
  });

  it("a set, a width, a number of seeds; the ablation alone", () => {
    const fashion = ["fashion 2-2-32 - 1 3", "fashion 2-2-32 - 2 3"];
    assert.deepEqual(planRuns(["fashion", "2-2-32", "--seeds", "2"]).map(short), fashion);
    assert.equal(planRuns(["noise", "--seeds", "2"]).length, 8);
    assert.equal(planRuns(["noise", "mnist"]).length, WIDTHS.length + 4);
  });

  it("--choose-rate: three rates for few bits and for none, judged on images that the training leaves out", () => {
    const plans = planRuns(["--choose-rate", "mnist"]);
    assert.deepEqual(
      plans.map(({ bits, learningRate }) => `${bits} ${learningRate}`),
      ["1-2-4", "32-32-32"].flatMap((bits) => ["0.003", "0.01", "0.03"].map((rate) => `${bits} ${rate}`)),
    );
    assert.ok(plans.every(({ judgedOn, images }) => judgedOn === "heldOut" && images === 20_000));
    assert.equal(planRuns(["--choose-rate"]).length, 12);
  });

  const choices =
    "mnist, fashion, noise, 32-32-32, 8-8-32, 4-4-32, 2-2-32, 1-2-32, 1-1-32, 1-2-4, 4-4-4, 8-8-8, 1-1-4, and --seeds of at least 1";
  for (const [args, found] of [
    [["3-3-3"], "3-3-3"],
    [["--seeds", "0"], "--seeds 0"],
    [["--seeds", "two"], "--seeds two"],
  ] as const) {
    it(`refuses ${args.join(" ")}`, () => {
      assert.throws(() => planRuns(args), {
        name: "RangeError",
        message: `accuracy dorefa: expected ${choices}, got ${found}`,
      });
    });
  }
});

it("bitsOf reads weights, activations, gradients in this order", () => {
  assert.deepEqual(bitsOf("1-2-32"), { weightBits: 1, activationBits: 2, gradientBits: 32 });
});
