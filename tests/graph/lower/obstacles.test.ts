import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { QuantParams } from "../../../src/core/quant-params.js";
import { SIGN_GRID } from "../../../src/core/unit-grid.js";
import { checkObstacles } from "../../../src/graph/lower/obstacles.js";
import { sketch } from "../sketch.js";

const INT8: QuantParams = { scale: 1, zeroPoint: 0, qmin: -128, qmax: 127 };
const INT16: QuantParams = { scale: 1, zeroPoint: 0, qmin: -32768, qmax: 32767 };
const GRID = { bits: 8, granularity: "perChannel", axis: 3, symmetric: true, signed: true } as const;
const WAY_OUT =
  "replace these layers or cut the model before them, give edges a quantizer, and everything at most 8 bits and fixed sizes";

const check = (graph: ReturnType<ReturnType<typeof sketch>["finish"]>, grids: Readonly<Record<string, QuantParams>>) =>
  checkObstacles("convert", graph, new Map(Object.entries(grids)));

describe("checkObstacles", () => {
  it("passes a network that int8 can compute", () => {
    const s = sketch();
    s.conv2d("c", s.input("x", [null, 4, 4, 2]), { weightGrid: GRID });
    check(s.finish("c"), { x: INT8, c: INT8 });
  });

  it("names everything at once", () => {
    const s = sketch();
    const ids = s.input("ids", [null, 5], "int32");
    const embedded = s.opaque("embedding", ids, [null, 4, 4, 2], "Embedding");
    const wide = s.conv2d("wide", embedded, { weightGrid: { ...GRID, bits: 16 } });
    const float = s.conv2d("float", wide);
    const odd = s.conv2d("odd", float, { weightGrid: { ...GRID, symmetric: false, axis: 2 } });
    const lstm = s.opaque("lstm", odd, [null, 4], "LSTM");
    const graph = s.finish(lstm);
    const obstacles = [
      '"embedding" (Embedding), which stays float: class Embedding',
      '"wide" (Conv2D) with weights of 16 bits',
      '"float" (Conv2D) with float weights',
      '"odd" (Conv2D) with weights that are not signed and symmetric',
      '"odd" (Conv2D) with weight scales along axis 2, not its output channels',
      '"lstm" (LSTM), which stays float: class LSTM',
      'what "wide" (Conv2D) gives ("wide") without a quantizer',
      'what "float" (Conv2D) gives ("float") with 16 bits',
    ];
    assert.throws(() => check(graph, { embedding: INT8, float: INT16, odd: INT8 }), {
      name: "QuantError",
      code: "unsupported",
      message: `convert: expected a network that int8 can compute, got ${obstacles.join("; ")}; ${WAY_OUT}`,
      details: { obstacles },
    });
  });

  it("DoReFa's weights of more than 8 bits, and signs of what has no bias to put 0 between two sums", () => {
    const s = sketch();
    const image = s.input("image", [null, 4, 4, 2]);
    const dorefa = (weightBits: number) => ({ dorefa: { weightBits, gradientBits: 32, seed: 0, tensor: 0 } });
    const sum = s.op("add", "sum", [s.conv2d("wide", image, dorefa(9)), s.conv2d("fits", image, dorefa(8))]);
    const both = s.op("concat", "both", [sum, image], { axis: 3 });
    const pool = { poolSize: [2, 2], strides: [2, 2], padding: "valid" };
    const graph = s.finish(s.op("averagePool2d", "average", s.op("maxPool2d", "most", both, pool), pool));
    const grids = {
      image: INT8,
      wide: INT8,
      fits: INT8,
      sum: SIGN_GRID,
      both: SIGN_GRID,
      most: SIGN_GRID,
      average: SIGN_GRID,
    };
    assert.throws(() => check(graph, grids), {
      details: {
        obstacles: [
          '"wide" (Conv2D) with weights of 9 bits',
          'signs of what "sum" (add) gives, without a batch norm between',
          'signs of what "both" (concat) gives, without a batch norm between',
          'signs of what "average" (averagePool2d) gives, without a batch norm between',
        ],
      },
    });
    assert.throws(
      () => check(graph, { ...grids, image: SIGN_GRID, average: INT8 }),
      /got "wide".*; signs of input "image"; /,
    );
  });

  it("inputs: without a quantizer, and with sizes that only the data tells", () => {
    const s = sketch();
    s.conv2d("c", s.input("x", [null, null, 4, 2]), { weightGrid: { ...GRID, granularity: "perTensor", axis: 0 } });
    assert.throws(() => check(s.finish("c"), { c: INT8 }), {
      message: `convert: expected a network that int8 can compute, got input "x" without a quantizer; input "x" of unknown sizes [?, ?, 4, 2]; ${WAY_OUT}`,
    });
  });
});
