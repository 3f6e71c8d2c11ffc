import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { QuantParams } from "../../../src/core/quant-params.js";
import { SIGN_GRID } from "../../../src/core/unit-grid.js";
import { valueGrids } from "../../../src/graph/lower/value-grids.js";
import type { EdgeQuantizer, Graph } from "../../../src/graph/types.js";
import { sketch } from "../sketch.js";

const OWN: EdgeQuantizer = { bits: 8, signed: true, symmetric: false };
const params = (scale: number): QuantParams => ({ scale, zeroPoint: 0, qmin: -128, qmax: 127 });

/** Scales of all values, where the named ones have their own. */
function scalesOf(graph: Graph, own: Readonly<Record<string, number>>, likes: Readonly<Record<string, string>> = {}) {
  const quantizers = Object.fromEntries([
    ...Object.keys(own).map((value) => [value, OWN] as const),
    ...Object.entries(likes).map(([value, like]) => [value, { like }] as const),
  ]);
  const found = valueGrids(
    { ...graph, quantizers },
    new Map(Object.entries(own).map(([value, scale]) => [value, params(scale)])),
  );
  return Object.fromEntries([...found].map(([value, { scale }]) => [value, scale]));
}

const POOL = { poolSize: [2, 2], strides: [2, 2], padding: "valid" };

describe("valueGrids", () => {
  it("values of ops that keep parameters have their input's, through several", () => {
    const s = sketch();
    const x = s.input("x", [null, 4, 4, 2]);
    s.op("dropout", "drop", s.op("flatten", "flat", s.op("averagePool2d", "pool", x, POOL)), { config: {} });
    assert.deepEqual(scalesOf(s.finish("drop"), { x: 3 }), { x: 3, pool: 3, flat: 3, drop: 3 });
  });

  it("unless they have their own, or are like another value", () => {
    const s = sketch();
    const x = s.input("x", [null, 4, 4, 2]);
    s.op("relu", "relu", s.op("maxPool2d", "pool", x, POOL));
    s.op("maxPool2d", "other", x, POOL);
    const graph = s.finish("relu", "other");
    assert.deepEqual(scalesOf(graph, { x: 3, pool: 5, relu: 7 }, { other: "relu" }), {
      x: 3,
      pool: 5,
      relu: 7,
      other: 7,
    });
  });

  it("what only a concat reads, through ops that move codes, has the concat's", () => {
    const s = sketch();
    const x = s.input("x", [null, 4, 4, 2]);
    const a = s.conv2d("a", x);
    const b = s.op("maxPool2d", "b_pool", s.conv2d("b", x), { ...POOL, strides: [1, 1], padding: "same" });
    const inner = s.op("concat", "inner", [a, b], { axis: 3 });
    s.op("concat", "outer", [inner, x], { axis: 3 });
    assert.deepEqual(scalesOf(s.finish("outer"), { x: 3, outer: 5 }), {
      x: 3,
      a: 5,
      b: 5,
      b_pool: 5,
      inner: 5,
      outer: 5,
    });
  });

  it("what others read too, or an average, or an output, has none", () => {
    const s = sketch();
    const x = s.input("x", [null, 4, 4, 2]);
    const twice = s.conv2d("twice", x);
    const average = s.op("averagePool2d", "average", s.conv2d("averaged", x), {
      ...POOL,
      strides: [1, 1],
      padding: "same",
    });
    const output = s.conv2d("output", x);
    s.op("concat", "joined", [twice, average, output], { axis: 3 });
    s.op("relu", "relu", twice);
    const found = scalesOf(s.finish("joined", "relu", "output"), { x: 3, joined: 5, relu: 7 });
    assert.deepEqual(found, { x: 3, joined: 5, relu: 7, average: 5 });
  });

  it("clips, signs and fixed parameters say theirs; before max pools, too, but not before a pad that is then made signs of", () => {
    const s = sketch();
    const map = [null, 4, 4, 2];
    const pad = {
      padding: [
        [1, 1],
        [1, 1],
      ],
    };
    const relu = s.op("relu", "relu", s.input("x", map));
    const clipped = s.op("zeroPad2d", "clipped", s.op("maxPool2d", "pool", relu, POOL), pad);
    const sign = s.op("zeroPad2d", "sign", s.op("relu", "before", clipped), pad);
    const graph = s.finish(s.op("softmax", "probs", sign));
    const quantizers = {
      clipped: { bits: 2, signed: false, bound: 6 },
      sign: { bits: 1, signed: true, sign: true },
      probs: { bits: 8, signed: true, fixed: { scale: 1 / 256, zeroPoint: -128 } },
    } as const;
    const clip = { scale: 2, zeroPoint: 0, qmin: 0, qmax: 3 };
    assert.deepEqual(Object.fromEntries(valueGrids({ ...graph, quantizers }, new Map())), {
      relu: clip,
      pool: clip,
      clipped: clip,
      sign: SIGN_GRID,
      probs: { scale: 1 / 256, zeroPoint: -128, qmin: -128, qmax: 127 },
    });
  });
});
