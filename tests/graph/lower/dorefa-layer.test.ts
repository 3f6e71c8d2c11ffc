import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unitGrid } from "../../../src/core/unit-grid.js";
import { codeGrid } from "../../../src/graph/lower/code-grid.js";
import { dorefaBatchNorm, dorefaLayer, signLayer } from "../../../src/graph/lower/dorefa-layer.js";
import type { WeightedNode } from "../../../src/graph/types.js";
import { sketch } from "../sketch.js";

const UNIT = codeGrid(unitGrid(2));
const PLACE = { where: "test", input: UNIT, output: UNIT, sign: false, activation: "linear" } as const;
const dorefa = (weightBits: number) => ({ dorefa: { weightBits, gradientBits: 4, seed: 0, tensor: 0 } });
const GRID = { bits: 8, granularity: "perChannel", axis: 1, symmetric: true, signed: true } as const;

/** A matrix [2, 3]. */
function dense(fields: object): WeightedNode {
  const s = sketch();
  s.dense("fc", s.input("x", [null, 2]), 3);
  return { ...(s.finish("fc").nodes[0] as WeightedNode), ...fields };
}

const WEIGHTS = ["fc/kernel", Float32Array.of(0.5, -2, 0, -0.25, 1, 0)] as const;

describe("dorefaLayer", () => {
  it("1 bit: ±1 on the scale E, stored as int4", () => {
    const weights = Float32Array.of(1, -1, 1, -1, 1, 1);
    const found = dorefaLayer(dense(dorefa(1)), new Map([["fc/kernel", weights]]), PLACE);
    assert.deepEqual(found, {
      layer: {
        codes: Int8Array.of(1, -1, 1, -1, 1, 1),
        weightBits: 4,
        weightScales: new Float32Array(3).fill(1),
        bias: undefined,
      },
      differences: [],
      refitted: [],
    });
  });

  it("weights that training left in float: 8 bits, one scale per channel; a channel of zeros gives its bias", () => {
    const bias = Float32Array.of(0, 0, 1 / 3);
    const node = dense({ weightGrid: GRID, bias: "fc/bias" });
    const { layer } = dorefaLayer(node, new Map([WEIGHTS, ["fc/bias", bias] as const]), PLACE);
    assert.deepEqual(layer.codes, Int8Array.of(127, -127, 0, -64, 64, 0));
    assert.deepEqual([...layer.weightScales.slice(0, 2)], [Math.fround(0.5 / 127), Math.fround(2 / 127)]);
    const [, , scale] = layer.weightScales;
    assert.equal(Math.round((UNIT.scale * scale * Number(layer.bias?.[2])) / UNIT.scale), 1);
  });

  it("batch norm and relu6: a negative gamma flips codes, and the output ends at the code of 6", () => {
    const batchNorm = {
      gamma: "g",
      mean: "m",
      variance: "v",
      epsilon: 0,
      layer: dense({}).layer,
      momentum: 0.9,
      trainable: true,
    };
    const data = new Map([
      WEIGHTS,
      ["g", Float32Array.of(1, -1, 1)],
      ["m", new Float32Array(3)],
      ["v", new Float32Array(3).fill(4)],
    ] as const);
    const output = { scale: 1 / 8, zeroPoint: -128 };
    const { layer } = dorefaLayer(dense({ ...dorefa(2), batchNorm }), data, { ...PLACE, output, activation: "relu6" });
    assert.deepEqual(layer.codes, Int8Array.of(42, 126, 42, -42, -126, 42));
    assert.deepEqual(layer.weightScales, new Float32Array(3).fill(Math.fround(1 / 252)));
  });

  it("NaN is an error that names the array", () => {
    const node = dense({ ...dorefa(2), bias: "fc/bias" });
    const bias = Float32Array.of(0, Number.NaN, 0);
    assert.throws(() => dorefaLayer(node, new Map([WEIGHTS, ["fc/bias", bias] as const]), PLACE), {
      code: "non-finite",
      message: /^test: bias: .* index 1/,
    });
  });
});

describe("dorefaBatchNorm", () => {
  it("a weight per channel", () => {
    const norm = { gamma: "g", beta: "b", mean: "m", variance: "v", epsilon: 0, momentum: 0.9, trainable: true };
    const data = new Map([
      ["g", Float32Array.of(1, -1)],
      ["b", Float32Array.of(0, 1)],
      ["m", new Float32Array(2)],
      ["v", new Float32Array(2).fill(1)],
    ] as const);
    const { layer, differences } = dorefaBatchNorm(norm, 2, data, PLACE);
    // The same codes, and 1 − x: exact with weights of 1, and with a bias of three codes.
    assert.deepEqual(layer, {
      codes: Int8Array.of(1, -1),
      weightBits: 4,
      weightScales: Float32Array.of(1, 1),
      bias: Int32Array.of(0, 3),
    });
    assert.deepEqual(differences, []);
  });
});

describe("signLayer", () => {
  it("sums of 127, and a bias between those of −1 and 0", () => {
    const input = { scale: 0.5, zeroPoint: 3 };
    assert.deepEqual(signLayer(2, { where: "test", input }), {
      codes: Int8Array.of(127, 127),
      weightBits: 8,
      weightScales: Float32Array.of(2, 2),
      bias: Int32Array.of(63, 63),
    });
  });
});
