import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { sizeOf } from "../../src/core/shape.js";
import type { QuantizedGraph } from "../../src/graph/quantized-graph.js";
import {
  createSession,
  init,
  memoryUsage,
  QuantError,
  readTflite,
  type TensorData,
  writeTflite,
} from "../../src/index.js";
import { runReference } from "../../src/runtime/run-reference.js";
import { randomQuantizedGraph } from "../graph/random-quantized-graph.js";
import { chains, codesOf } from "./random-layers.js";

const RULES = ["integer", "tflite", "float32"] as const;

function inputsOf(graph: QuantizedGraph, seed: number): Record<string, TensorData> {
  return Object.fromEntries(
    graph.inputs.map((name, i) => {
      const { dtype, shape } = graph.tensors[name];
      const codes = codesOf(sizeOf(shape), seed + i);
      return [name, dtype === "int8" ? codes : Float32Array.from(codes, (code) => code / 8)];
    }),
  );
}

/** The message of the error that `run` throws, or its result. */
function outcomeOf<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** A small network with a fixed input, for what is not about arithmetic. */
const [{ graph: chain, input }] = fc.sample(chains, { numRuns: 1, seed: 11 });

describe("createSession: every op gives what its definition gives, twice in a row", () => {
  for (const build of ["simd", "debug", "reference"] as const) {
    it(build, async () => {
      const module = readFileSync(new URL("../../dist/wasm/infer.debug.wasm", import.meta.url));
      await init(build === "debug" ? { module } : { build });
      fc.assert(
        fc.property(randomQuantizedGraph(), fc.constantFrom(...RULES), fc.nat(), (graph, rounding, seed) => {
          const [first, second] = [inputsOf(graph, seed), inputsOf(graph, seed + 50)];
          const session = outcomeOf(() => createSession(graph, { rounding }));
          const expected = outcomeOf(() => runReference(graph, first, { rounding }));
          if (typeof session === "string") {
            assert.equal(session, expected);
            return;
          }
          assert.deepEqual({ ...session.run(first) }, expected);
          assert.deepEqual({ ...session.run(second) }, runReference(graph, second, { rounding }));
          session.dispose();
        }),
        { numRuns: build === "simd" ? 300 : 100 },
      );
    });
  }
});

describe("createSession", () => {
  beforeEach(() => init({ build: "simd" }));
  afterEach(() => assert.equal(memoryUsage().residentBytes, 0, "every session gave its memory back"));

  it("takes the bytes of a file, as a view or a buffer", () => {
    const bytes = writeTflite(chain);
    const expected = runReference(readTflite(bytes), { x: input }, { rounding: "integer" });
    for (const model of [bytes, bytes.slice().buffer]) {
      const session = createSession(model);
      assert.deepEqual({ ...session.run(input) }, expected);
      session.dispose();
    }
  });

  it("batch: as many images at once, each as by itself", () => {
    fc.assert(
      fc.property(chains, fc.integer({ min: 1, max: 4 }), ({ graph, input }, batch) => {
        const inputs = Array.from({ length: batch }, (_, i) => codesOf(input.length, i));
        const session = createSession(graph, { batch });
        const { y } = session.run(Int8Array.from(inputs.flatMap((codes) => [...codes])));
        const expected = inputs.flatMap((x) => [...runReference(graph, { x }, { rounding: "integer" }).y]);
        session.dispose();
        assert.deepEqual(y, Int8Array.from(expected));
      }),
      { numRuns: 30 },
    );
  });

  it("preferMemory: the same codes from smaller packed weights", () => {
    const [{ graph, input }] = fc.sample(
      chains.filter(({ graph }) => graph.tensors.a.shape[3] >= 8 && graph.tensors.x.shape[1] >= 8),
      { numRuns: 1, seed: 3 },
    );
    const [fast, small] = [createSession(graph), createSession(graph, { preferMemory: true })];
    assert.deepEqual(small.run(input), fast.run(input));
    assert.ok(small.memory().packedBytes < 0.7 * fast.memory().packedBytes);
    assert.ok(fast.profile().some(({ kernels }) => kernels.some((kernel) => kernel.startsWith("winograd"))));
    for (const session of [fast, small]) session.dispose();
  });

  it("several sessions live in one memory, which grows under them", () => {
    const sessions = RULES.map((rounding) => ({ rounding, session: createSession(chain, { rounding }) }));
    const expected = RULES.map((rounding) => ({ ...runReference(chain, { x: input }, { rounding }) }));
    for (let round = 0; round < 2; round++) {
      for (const [i, { session }] of sessions.entries()) assert.deepEqual({ ...session.run(input) }, expected[i]);
      const { totalBytes } = memoryUsage();
      sessions.push({ rounding: "integer", session: createSession(chain, { batch: 4000 }) });
      assert.ok(round > 0 || memoryUsage().totalBytes > totalBytes);
      sessions.pop()?.session.dispose();
    }
    for (const { session } of sessions) session.dispose();
  });

  it("10^5 runs: constant memory", () => {
    const graph = { ...chain, name: "small" };
    const session = createSession(graph);
    const outputs = { y: new Int8Array(sizeOf(graph.tensors.y.shape)) };
    session.run(input, outputs);
    const first = outputs.y.slice();
    const usage = memoryUsage();
    for (let i = 0; i < 100_000; i++) session.run(input, outputs);
    assert.deepEqual(memoryUsage(), usage);
    assert.deepEqual(outputs.y, first);
    session.dispose();
  });

  const refusals: readonly (readonly [string, () => unknown, object])[] = [
    [
      "an unknown rounding",
      () => createSession(chain, { rounding: "up" as "integer" }),
      { name: "RangeError", message: "createSession: expected rounding to be one of integer, tflite, float32, got up" },
    ],
    [
      "a batch of none",
      () => createSession(chain, { batch: 0 }),
      { name: "RangeError", message: "createSession: expected an integer batch ≥ 1, got 0" },
    ],
    [
      "what is no model",
      () => createSession("model.tflite" as unknown as Uint8Array),
      {
        name: "TypeError",
        message: "createSession: expected the bytes of a .tflite file or a QuantizedGraph, got [object String]",
      },
    ],
  ];
  for (const [what, run, error] of refusals) it(`refuses ${what}`, () => assert.throws(run, error));

  it("the error class is the library's", () => {
    assert.throws(() => createSession(new Uint8Array(3)), QuantError);
  });
});
