import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { roundedInTraining } from "../../src/graph/rounded-in-training.js";
import type { EdgeQuantizer, Graph } from "../../src/graph/types.js";
import { sketch } from "./sketch.js";

const MAP = [null, 8, 8, 4];
const POOL = { poolSize: [2, 2], strides: [2, 2], padding: "valid" };
const OBSERVED = { bits: 8, signed: true, symmetric: false, observeOnly: true } as const;
const OWN = { bits: 8, signed: true, symmetric: false } as const;
const CLIP = { bits: 2, signed: false, bound: 1 } as const;
const dorefa = (weightBits: number) => ({ dorefa: { weightBits, gradientBits: 4, seed: 0, tensor: 0 } });

const rounded = (graph: Graph, quantizers: Readonly<Record<string, EdgeQuantizer>>): string[] => [
  ...roundedInTraining({ ...graph, quantizers }),
];

describe("roundedInTraining", () => {
  it("DoReFa's layers between clips, through batch norm and max pool; not what float layers give, nor what is observed", () => {
    const s = sketch();
    const first = s.conv2d("conv1", s.input("image", MAP));
    const pool = s.op("maxPool2d", "pool", s.batchNorm("bn", s.conv2d("conv2", first, dorefa(1))), POOL);
    const graph = s.finish(s.conv2d("conv4", s.conv2d("conv3", pool, dorefa(7)), dorefa(1)));
    const quantizers = { image: OBSERVED, conv1: CLIP, pool: CLIP, conv3: CLIP, conv4: OBSERVED };
    assert.deepEqual(rounded(graph, quantizers), ["pool", "conv3"]);
  });

  it("weights of 8 bits are rounded again, those of float layers later", () => {
    const s = sketch();
    const graph = s.finish(s.conv2d("b", s.conv2d("a", s.input("image", MAP), dorefa(8)), {}));
    assert.deepEqual(rounded(graph, { image: CLIP, a: CLIP, b: CLIP }), ["image"]);
  });

  it("a sum of observed values is not, one of clipped values is", () => {
    const s = sketch();
    const image = s.input("image", MAP);
    const a = s.conv2d("a", image, dorefa(1));
    const b = s.conv2d("b", image, dorefa(1));
    const graph = s.finish(s.op("add", "sum", [a, b]));
    assert.deepEqual(rounded(graph, { image: CLIP, a: OBSERVED, b: CLIP, sum: CLIP }), ["image", "b"]);
    assert.deepEqual(rounded(graph, { image: CLIP, a: CLIP, b: CLIP, sum: CLIP }), ["image", "a", "b", "sum"]);
  });

  it("everything of QAT's, averages on their input's parameters too; averages that are clipped are not", () => {
    const s = sketch();
    const grid = { bits: 8, granularity: "perChannel", axis: 3, symmetric: true, signed: true } as const;
    const pool = s.op("averagePool2d", "pool", s.conv2d("conv", s.input("image", MAP), { weightGrid: grid }), POOL);
    const graph = s.finish(s.op("relu", "relu", pool));
    const all = { image: OWN, conv: OWN, pool: { like: "conv" }, relu: OWN };
    assert.deepEqual(rounded(graph, all), ["image", "conv", "pool", "relu"]);
    assert.deepEqual(rounded(graph, { image: CLIP, conv: CLIP, pool: CLIP, relu: CLIP }), ["image", "conv", "relu"]);
  });

  it("nothing behind opaque nodes until it is rounded", () => {
    const s = sketch();
    const graph = s.finish(s.op("relu", "relu", s.opaque("lstm", s.input("x", [null, 3]), [null, 3])));
    assert.deepEqual(rounded(graph, { x: OWN, relu: OWN }), ["x"]);
  });
});
