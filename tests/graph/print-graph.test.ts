import assert from "node:assert/strict";
import { it } from "node:test";
import { foldBatchNorm } from "../../src/graph/passes/fold-batch-norm.js";
import { fuseActivation } from "../../src/graph/passes/fuse-activation.js";
import { placeQuantizers } from "../../src/graph/passes/place-quantizers.js";
import { printGraph } from "../../src/graph/print-graph.js";
import type { Graph } from "../../src/graph/types.js";
import { sketch } from "./sketch.js";

it("printGraph shows every op with its details", () => {
  const g = sketch("every op");
  const x = g.input("x", [null, 8, 8, 4]);
  const ids = g.input("ids", [null, 3], "int32");
  const conv = g.conv2d("conv", x, { bias: true, strides: [2, 2], padding: "same", activation: "relu" });
  const bn = g.batchNorm("bn", g.conv2d("dilated", conv, { dilations: [2, 1], trainable: false }), {
    activation: "relu6",
  });
  const leaky = g.op("leakyRelu", "leaky", bn, { alpha: 0.3 });
  const add = g.op("add", "add", [leaky, conv], { activation: "relu" });
  const concat = g.op("concat", "concat", [add, g.op("subtract", "sub", [add, conv])], { axis: 3 });
  const max = g.op("maxPool2d", "max", concat, { poolSize: [3, 2], strides: [2, 1], padding: "valid" });
  const pad = g.op("zeroPad2d", "pad", max, {
    padding: [
      [0, 1],
      [2, 3],
    ],
  });
  const up = g.op("upsample2d", "up", pad, { size: [2, 2], interpolation: "bilinear" });
  const permuted = g.op("permute", "permuted", up, { permutation: [0, 3, 1, 2] });
  const reshaped = g.op("reshape", "reshaped", permuted, { targetShape: [4, null, 2] });
  const mean = g.op("mean", "mean", up, { keepDims: true });
  const gmp = g.op("globalMaxPool2d", "gmp", up, { keepDims: false });
  const noise = g.op("dropout", "noise", g.op("tanh", "tanh", gmp), { className: "GaussianNoise", config: {} });
  const fc = g.dense("fc", noise, 2);
  const words = g.opaque("words", ids, [null, 3, 2], "Embedding");
  const graph = g.finish(reshaped, mean, g.op("softmax", "softmax", fc), words);
  assert.equal(
    printGraph(graph),
    `
graph "every op": 19 nodes, 324 weights, 0 quantizers
x         input                         [?, 8, 8, 4]
ids       input                         [?, 3] int32
conv      conv2d           x            [?, 4, 4, 4]   3×3 stride 2 same, bias, relu
dilated   conv2d           conv         [?, 4, 4, 4]   3×3 dilation 2×1 same, frozen
bn        batchNorm        dilated      [?, 4, 4, 4]   relu6
leaky     leakyRelu        bn           [?, 4, 4, 4]   alpha 0.3
add       add              leaky, conv  [?, 4, 4, 4]   relu
sub       subtract         add, conv    [?, 4, 4, 4]
concat    concat           add, sub     [?, 4, 4, 8]   axis 3
max       maxPool2d        concat       [?, 1, 3, 8]   3×2 stride 2×1 valid
pad       zeroPad2d        max          [?, 2, 8, 8]   0+1 × 2+3
up        upsample2d       pad          [?, 4, 16, 8]  2×2 bilinear
permuted  permute          up           [?, 8, 4, 16]  [0, 3, 1, 2]
reshaped  reshape          permuted     [?, 4, 64, 2]  [4, ?, 2]
mean      mean             up           [?, 1, 1, 8]   keepDims
gmp       globalMaxPool2d  up           [?, 8]
tanh      tanh             gmp          [?, 8]
noise     dropout          tanh         [?, 8]         GaussianNoise
fc        dense            noise        [?, 2]         [8, 2]
words     opaque           ids          [?, 3, 2]      Embedding
softmax   softmax          fc           [?, 2]
outputs: reshaped, mean, softmax, words
`.trim(),
  );
});

it("printGraph shows fused nodes, weight grids and quantizers", () => {
  const g = sketch("placed");
  const x = g.input("x", [null, 8, 8, 4]);
  const first = g.op("relu6", "relu", g.batchNorm("bn", g.conv2d("conv", x)));
  const frozen = g.batchNorm("still_bn", g.conv2d("still", first, { trainable: false }), { trainable: false });
  const pool = g.op("averagePool2d", "pool", frozen, { poolSize: [2, 2], strides: [2, 2], padding: "same" });
  const gate = g.op("sigmoid", "gate", g.dense("fc", g.op("flatten", "flat", pool), 3));
  const graph = fuseActivation(foldBatchNorm(g.finish(gate)));
  const placed = placeQuantizers(graph, {
    weightBits: 4,
    activationBits: 6,
    granularity: "perChannel",
    denseGranularity: "perTensor",
    symmetric: true,
  });
  assert.equal(
    printGraph(placed),
    `
graph "placed": 6 nodes, 512 weights, 5 quantizers
x         input                    [?, 8, 8, 4]  int8 symmetric
relu      conv2d         x         [?, 8, 8, 4]  int6 symmetric  3×3 same, batchNorm, relu6, weights int4 per channel
still_bn  conv2d         relu      [?, 8, 8, 4]  int6 symmetric  3×3 same, frozen batchNorm, weights int4 per channel, frozen
pool      averagePool2d  still_bn  [?, 4, 4, 4]  like still_bn   2×2 stride 2 same
flat      flatten        pool      [?, 64]       like still_bn
fc        dense          flat      [?, 3]        int8 symmetric  [64, 3], weights int4 per tensor
gate      sigmoid        fc        [?, 3]        int8 fixed
outputs: gate
`.trim(),
  );
});

it("printGraph shows what DoReFaQuantizer places", () => {
  const g = sketch("dorefa");
  const conv = g.conv2d("conv", g.input("x", [null, 8, 8, 4]), { dorefa: dorefa(1, 4) });
  const graph = g.finish(g.conv2d("next", g.op("add", "sum", [conv, conv]), { dorefa: dorefa(32, 4) }));
  const quantizers: Graph["quantizers"] = {
    x: { bits: 8, signed: true, symmetric: false, observeOnly: true },
    conv: { bits: 2, signed: false, bound: 6 },
    sum: { bits: 1, signed: true, sign: true },
  };
  assert.equal(
    printGraph({ ...graph, quantizers }),
    `
graph "dorefa": 3 nodes, 288 weights, 3 quantizers
x     input               [?, 8, 8, 4]  observed
conv  conv2d  x           [?, 8, 8, 4]  uint2 [0, 6]  3×3 same, dorefa w1 g4
sum   add     conv, conv  [?, 8, 8, 4]  sign
next  conv2d  sum         [?, 8, 8, 4]                3×3 same, dorefa g4
outputs: next
`.trim(),
  );
});

const dorefa = (weightBits: number, gradientBits: number) => ({ weightBits, gradientBits, seed: 0, tensor: 0 });

it("printGraph of a graph without nodes", () => {
  const g = sketch("empty");
  assert.equal(
    printGraph(g.finish(g.input("x", [null, 2]))),
    'graph "empty": 0 nodes, 0 weights, 0 quantizers\nx  input  [?, 2]\noutputs: x',
  );
});
