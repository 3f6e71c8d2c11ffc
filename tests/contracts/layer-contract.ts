import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { RoundingRule } from "../../src/core/rounding-rule.js";
import { checkPlan } from "../../src/runtime/check-plan.js";
import { stepExtent } from "../../src/runtime/layer-step.js";
import { planSession } from "../../src/runtime/plan.js";
import { runReference } from "../../src/runtime/run-reference.js";
import { wasmEngine } from "../../src/runtime/wasm-engine.js";
import type { InferExports } from "../../src/wasm/exports.js";
import { BLOCK, BLOCK_RULE, BLOCK_WORDS, LAYER_BYTES, LAYER_WORDS } from "../../src/wasm/layer-words.js";
import { Arena } from "../../src/wasm/memory.js";
import {
  chains,
  convolutions,
  depthwiseConvolutions,
  fullyConnected,
  type LayerCase,
} from "../runtime/random-layers.js";

// The kernels of the integer layers on a memory of their own: they give what the reference defines, write what stepExtent says
// and not a byte else, and read no further than it says.

const PAGES = 7;
const CANARY = 0xa5;
const RULES: readonly RoundingRule[] = ["integer", "tflite", "float32"];

/** An instance of a build on a memory of its own. */
function instanceOf(build: "simd" | "debug"): { readonly exports: InferExports; readonly memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const bytes = readFileSync(new URL(`../../dist/wasm/infer.${build}.wasm`, import.meta.url));
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
    .exports as unknown as InferExports;
  exports.initConstants(16);
  return { exports, memory };
}

const word = (name: (typeof LAYER_WORDS)[number]): number => LAYER_WORDS.indexOf(name);

/** What ran: kernels by name, and rules of channel blocks. */
interface Seen {
  readonly kernels: Set<string>;
  readonly rules: Set<number>;
}

/** Runs a layer guarded, and compares its codes with the reference's. */
function checkLayer(build: "simd" | "debug", { graph, input }: LayerCase, rounding: RoundingRule, seen: Seen): void {
  const { exports, memory } = instances[build];
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  bytes.fill(CANARY, 80);
  const plan = planSession(graph, { rounding, preferMemory: false });
  checkPlan(plan);
  const layers = plan.steps.flatMap((step) => (step.kind === "layer" ? [step.step] : []));

  const runLayers = (ptr: number, count: number): void => {
    for (let i = 0; i < count; i++, ptr += LAYER_BYTES) {
      const step = layers[i];
      const { reads, writes } = stepExtent(step);
      const at = ptr >>> 2;
      const [x, y, scratch] = (["x", "y", "scratch"] as const).map((name) => words[at + word(name)]);
      const before = bytes.slice();
      exports.runLayers(ptr, 1);
      const expected = before.slice();
      expected.set(bytes.subarray(y, y + writes), y);
      expected.set(bytes.subarray(scratch, scratch + step.scratchBytes), scratch);
      if (Buffer.compare(expected, bytes) !== 0) {
        const stray = bytes.findIndex((byte, j) => byte !== expected[j]);
        assert.fail(`${step.kernel}: byte ${stray} was written; y ${y}, ${writes} bytes, scratch ${scratch}`);
      }
      // Again with an input that ends where the memory does: a kernel that reads on is trapped.
      const moved = bytes.length - reads;
      const after = bytes.slice(y, y + writes);
      bytes.copyWithin(moved, x, x + reads);
      words[at + word("x")] = moved;
      exports.runLayers(ptr, 1);
      words[at + word("x")] = x;
      assert.deepEqual(bytes.slice(y, y + writes), after, `${step.kernel}: the same codes wherever the input lies`);
      bytes.fill(CANARY, moved);
      seen.kernels.add(step.kernel);
      for (let b = 0; b < (step.blocks?.length ?? 0); b += BLOCK_WORDS)
        seen.rules.add(step.blocks?.[b + BLOCK.rule] as number);
    }
  };
  const arena = new Arena(memory, 80);
  const kernels = { build, exports: { ...exports, runLayers }, arena, instantiateOn: () => exports };
  const engine = wasmEngine(plan, kernels, rounding);
  engine.input(0).set(input);
  engine.run();
  const actual = engine.output(0);
  const expected = runReference(graph, { x: input }, { rounding }).y;
  for (const [i, code] of expected.entries()) {
    assert.equal(actual[i], code, `${rounding}, code ${i} of ${expected.length}`);
  }
}

const instances = { simd: instanceOf("simd"), debug: instanceOf("debug") };

export function layerContract(build: "simd" | "debug"): void {
  describe(`integer layers, ${build}`, () => {
    const numRuns = build === "simd" ? 50 : 25;
    const seen: Seen = { kernels: new Set(), rules: new Set() };
    const same = (cases: fc.Arbitrary<LayerCase>): void => {
      for (const rounding of RULES) {
        fc.assert(
          fc.property(cases, (layer) => checkLayer(build, layer, rounding, seen)),
          { numRuns },
        );
      }
    };

    it("convolutions of any window, stride, dilation, padding and batch", () => same(convolutions()));
    it("3 × 3 convolutions of stride 1 over 8 channels and more, which Winograd's kernels take", () => {
      for (const inChannels of [8, 13, 16, 27]) {
        same(convolutions({ kernel: [3, 3], strides: [1, 1], dilations: [1, 1], inChannels }));
      }
    });
    it("1 × 1 convolutions", () => same(convolutions({ kernel: [1, 1], dilations: [1, 1] })));
    it("depthwise convolutions of any window and multiplier", () => same(depthwiseConvolutions()));
    it("depthwise convolutions of 3 × 3", () => {
      for (const strides of [
        [1, 1],
        [2, 2],
      ] as const) {
        same(depthwiseConvolutions({ kernel: [3, 3], strides: [...strides], dilations: [1, 1] }));
      }
    });
    it("fully connected layers of one to nine rows", () => same(fullyConnected()));

    it("channels whose scales fit no common shift", () =>
      same(convolutions({ spread: 2, outputScale: 0.05, perTensor: false, inChannels: 20, outChannels: 20 })));
    it("chains of 3 × 3 convolutions, whose borders are filled anew", () => same(chains));

    it("the cases above take every kernel and every way to requantize", () => {
      const kernels = [
        "conv2dDirect",
        "copyRows",
        "depthwise3x3",
        "depthwiseConv2d",
        "fillRows",
        "matrixVector",
        "winograd2",
        "winograd4",
      ];
      assert.deepEqual([...seen.kernels].sort(), kernels);
      assert.deepEqual([...seen.rules].sort(), Object.values(BLOCK_RULE));
    });
  });
}
