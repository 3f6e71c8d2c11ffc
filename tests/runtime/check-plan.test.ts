import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { checkPlan } from "../../src/runtime/check-plan.js";
import { type Plan, type PlannedStep, planSession } from "../../src/runtime/plan.js";
import { LAYER_WORDS } from "../../src/wasm/layer-words.js";
import { randomQuantizedGraph } from "../graph/random-quantized-graph.js";
import { chains } from "./random-layers.js";

const OPTIONS = { rounding: "float32", preferMemory: false } as const;
const [{ graph }] = fc.sample(chains, { numRuns: 1, seed: 11 });
const plan = planSession(graph, OPTIONS);

/** The plan with a word of its first convolution changed. */
function withWord(name: (typeof LAYER_WORDS)[number], change: (value: number) => number): Plan {
  const at = plan.steps.findIndex((step) => step.kind === "layer" && step.step.macs > 0);
  const step = plan.steps[at] as PlannedStep & { readonly kind: "layer" };
  const words = step.words.slice();
  words[LAYER_WORDS.indexOf(name)] = change(words[LAYER_WORDS.indexOf(name)]);
  return { ...plan, steps: plan.steps.map((other) => (other === step ? { ...step, words } : other)) };
}

describe("checkPlan", () => {
  it("passes plans of random networks", () => {
    fc.assert(
      fc.property(randomQuantizedGraph({ nodes: 10 }), (random) => {
        let plan: Plan;
        try {
          plan = planSession(random, OPTIONS);
        } catch (error) {
          // Scales that do not fit each other: their own tests are those of the rules.
          assert.ok(error instanceof RangeError);
          return;
        }
        checkPlan(plan);
      }),
      { numRuns: 200 },
    );
  });

  const x = plan.tensors.get("x");
  const tampered: readonly (readonly [string, Plan, RegExp])[] = [
    ["an input that begins before its tensor", withWord("x", () => -1), /: x in "x" \[\d+, \d+\), got \[-1, \d+\)$/],
    [
      "an output that ends behind its tensor",
      withWord("y", (y) => y + 4096),
      /: y in "a" \[\d+, \d+\), got \[\d+, \d+\)$/,
    ],
    ["scratch elsewhere", withWord("scratch", () => 0), /: scratch in scratch \[\d+, \d+\), got \[0, \d+\)$/],
    [
      "two tensors at one place",
      { ...plan, tensors: new Map([...plan.tensors, ["other", { ...x, name: "other" } as typeof x & object]]) },
      /^plan: expected "\w+" \[\d+, \d+\) and "other" \[\d+, \d+\) apart, got an overlap$/,
    ],
    ["constants over words", { ...plan, wordsAddress: plan.constants[0].address }, / apart, got an overlap$/],
    [
      "a block that is too small",
      { ...plan, bytes: plan.bytes - 1 },
      /^plan: expected words in block \[0, \d+\), got \[\d+, \d+\)$/,
    ],
  ];
  for (const [what, wrong, message] of tampered) {
    it(`refuses ${what}`, () => assert.throws(() => checkPlan(wrong), { name: "Error", message }));
  }
});
