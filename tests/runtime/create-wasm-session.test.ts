import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, describe, it } from "node:test";
import fc from "fast-check";
import type { QuantizedGraph } from "../../src/graph/quantized-graph.js";
import { createSession, init } from "../../src/index.js";
import { runReference } from "../../src/runtime/run-reference.js";
import { createSession as createWasmSession } from "../../src/runtime.js";
import { chains, codesOf } from "./random-layers.js";

const debugBinary = readFileSync(new URL("../../dist/wasm/infer.debug.wasm", import.meta.url));

/** A mean over axes that are no neighbours, for which there is no kernel. */
const apart: QuantizedGraph = {
  name: "apart",
  inputs: ["x"],
  outputs: ["y"],
  tensors: {
    x: { dtype: "int8", shape: [3, 2, 5], scale: 0.5, zeroPoint: 3 },
    y: { dtype: "int8", shape: [2], scale: 0.25, zeroPoint: -7 },
  },
  nodes: [{ op: "mean", name: "y", inputs: ["x"], output: "y", axes: [0, 2], keepDims: false }],
};

describe("createSession of bitpress/runtime", () => {
  afterEach(() => init({ build: "simd" }));

  it("gives what the definitions give", () => {
    fc.assert(
      fc.property(chains, ({ graph, input }) => {
        const session = createWasmSession(graph);
        assert.deepEqual({ ...session.run(input) }, runReference(graph, { x: input }, { rounding: "integer" }));
        session.dispose();
      }),
      { numRuns: 20 },
    );
  });

  for (const rounding of ["integer", "tflite", "float32"] as const) {
    it(`runs nodes without a kernel by their definitions: ${rounding}`, async () => {
      const x = codesOf(30, 1);
      for (const build of ["simd", "debug"] as const) {
        await init(build === "debug" ? { module: debugBinary } : { build });
        const session = createWasmSession(apart, { rounding });
        assert.deepEqual(session.profile({ rounds: 1 })[0].kernels, ["reference"]);
        assert.deepEqual({ ...session.run(x) }, runReference(apart, { x }, { rounding }));
        session.dispose();
      }
    });
  }

  it("refuses the reference build, which createSession of bitpress runs", async () => {
    await init({ build: "reference" });
    assert.throws(() => createWasmSession(apart), {
      name: "QuantError",
      code: "unsupported-host",
      message:
        'createSession: expected WebAssembly SIMD, got the reference build; use createSession of "bitpress", which has it',
    });
    const x = codesOf(30, 1);
    assert.deepEqual({ ...createSession(apart).run(x) }, runReference(apart, { x }, { rounding: "integer" }));
  });
});
