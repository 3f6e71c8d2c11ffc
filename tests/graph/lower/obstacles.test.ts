import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { QuantParams } from "../../../src/core/quant-params.js";
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

  it("inputs: without a quantizer, and with sizes that only the data tells", () => {
    const s = sketch();
    s.conv2d("c", s.input("x", [null, null, 4, 2]), { weightGrid: { ...GRID, granularity: "perTensor", axis: 0 } });
    assert.throws(() => check(s.finish("c"), { c: INT8 }), {
      message: `convert: expected a network that int8 can compute, got input "x" without a quantizer; input "x" of unknown sizes [?, ?, 4, 2]; ${WAY_OUT}`,
    });
  });
});
