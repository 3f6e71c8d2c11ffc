import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { QuantizedGraph } from "../../src/graph/quantized-graph.js";
import { createSession, init, type Session } from "../../src/index.js";

const int8 = { dtype: "int8", shape: [1, 2], scale: 0.5, zeroPoint: 3 } as const;
/** y = a + b. */
const sum: QuantizedGraph = {
  name: "sum",
  inputs: ["a", "b"],
  outputs: ["y"],
  tensors: { a: int8, b: int8, y: int8 },
  nodes: [{ name: "sum", op: "add", inputs: ["a", "b"], output: "y", activation: "linear" }],
};
/** y = x W. */
const product: QuantizedGraph = {
  name: "product",
  inputs: ["x"],
  outputs: ["y"],
  tensors: { x: int8, y: { ...int8, shape: [1, 1], zeroPoint: 0 } },
  nodes: [
    {
      name: "product",
      op: "fullyConnected",
      inputs: ["x"],
      output: "y",
      weights: Int8Array.of(2, -1),
      weightsShape: [1, 2],
      weightBits: 8,
      weightScales: Float32Array.of(1),
      bias: Int32Array.of(10),
      activation: "linear",
      keepDims: false,
    },
  ],
};
const a = Int8Array.of(4, 5);
const b = Int8Array.of(1, 3);

function withSession(graph: QuantizedGraph, use: (session: Session) => void): void {
  const session = createSession(graph);
  use(session);
  session.dispose();
}

for (const build of ["simd", "reference"] as const) {
  describe(`session, ${build}`, () => {
    beforeEach(() => init({ build }));

    it("describes its inputs and outputs", () => {
      withSession(sum, ({ inputs, outputs }) => {
        assert.deepEqual(inputs, [
          { name: "a", dtype: "int8", shape: [1, 2], scale: 0.5, zeroPoint: 3 },
          { name: "b", dtype: "int8", shape: [1, 2], scale: 0.5, zeroPoint: 3 },
        ]);
        assert.deepEqual(
          outputs.map(({ name }) => name),
          ["y"],
        );
      });
    });

    it("returns fresh arrays, or those that it is given", () => {
      withSession(sum, (session) => {
        const [first, second] = [session.run({ a, b }), session.run({ a, b })];
        assert.deepEqual({ ...first }, { y: Int8Array.of(2, 5) });
        assert.notEqual(first.y, second.y);
        const outputs = { y: new Int8Array(2) };
        assert.equal(session.run({ a, b }, outputs), outputs);
        assert.deepEqual(outputs.y, Int8Array.of(2, 5));
      });
    });

    it("takes a lone input by itself", () => {
      withSession(product, (session) => {
        // (4 − 3)·2 − (5 − 3)·1 + 10
        assert.deepEqual({ ...session.run(a) }, { y: Int8Array.of(10) });
        assert.deepEqual({ ...session.run({ x: a }) }, { y: Int8Array.of(10) });
      });
    });

    it("profiles its nodes", () => {
      withSession(product, (session) => {
        session.run(a);
        const [node, ...rest] = session.profile({ rounds: 3 });
        assert.deepEqual([node.name, node.op, rest.length], ["product", "fullyConnected", 0]);
        assert.deepEqual([node.kernels, node.macs], build === "simd" ? [["matrixVector"], 2] : [["reference"], 0]);
        assert.ok(node.milliseconds >= 0);
        assert.deepEqual({ ...session.run(a) }, { y: Int8Array.of(10) }, "a run after it is as ever");
      });
    });

    it("tells its memory", () => {
      withSession(product, (session) => {
        const { weightBytes, packedBytes, tensorBytes, scratchBytes, totalBytes } = session.memory();
        assert.equal(weightBytes, 2 + 4);
        assert.equal(totalBytes, packedBytes + tensorBytes + scratchBytes);
        assert.equal(totalBytes > 0, build === "simd");
      });
    });

    const refusals: readonly (readonly [string, (session: Session) => unknown, object])[] = [
      [
        "one array for two inputs",
        (session) => session.run(a),
        {
          name: "TypeError",
          message:
            'session.run: expected an object with "a", "b", got one array; only a lone input may be passed by itself',
        },
      ],
      [
        "no inputs",
        (session) => session.run(undefined as unknown as Int8Array),
        { name: "TypeError", message: 'session.run: expected inputs as an object with "a", "b", got undefined' },
      ],
      [
        "a missing input",
        (session) => session.run({ a }),
        { name: "TypeError", message: 'session.run: expected input "b" as Int8Array of 2 elements [1, 2], got none' },
      ],
      [
        "an unknown input",
        (session) => session.run({ a, b, c: b }),
        { name: "TypeError", message: 'session.run: expected inputs "a", "b", got "c"' },
      ],
      [
        "floats for codes",
        (session) => session.run({ a, b: Float32Array.of(1, 2) }),
        {
          name: "TypeError",
          message:
            'session.run: expected input "b" as Int8Array of 2 elements [1, 2], got Float32Array; quantize it with the scale and zeroPoint of session.inputs or session.outputs',
        },
      ],
      [
        "a wrong length",
        (session) => session.run({ a, b: Int8Array.of(1) }),
        { name: "RangeError", message: 'session.run: expected input "b" of 2 elements [1, 2], got 1' },
      ],
      [
        "outputs of another type",
        (session) => session.run({ a, b }, { y: new Int32Array(2) }),
        {
          name: "TypeError",
          message: 'session.run: expected output "y" as Int8Array of 2 elements [1, 2], got Int32Array',
        },
      ],
      [
        "no rounds",
        (session) => session.profile({ rounds: 0 }),
        { name: "RangeError", message: "session.profile: expected an integer rounds ≥ 1, got 0" },
      ],
    ];
    for (const [what, run, error] of refusals) {
      it(`refuses ${what}`, () => withSession(sum, (session) => assert.throws(() => run(session), error)));
    }

    it("ends with dispose, once", () => {
      const session = createSession(sum);
      session.dispose();
      session.dispose();
      assert.throws(() => session.run({ a, b }), {
        name: "Error",
        message: "session.run: expected a live session, got a disposed one",
      });
    });
  });
}
