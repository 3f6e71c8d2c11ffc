import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Int8Tensor, IntegerWeightedNode } from "../../src/graph/quantized-graph.js";
import { integerConv2d } from "../../src/reference/integer-conv2d.js";
import { integerDepthwiseConv2d } from "../../src/reference/integer-depthwise-conv2d.js";
import { integerFullyConnected } from "../../src/reference/integer-fully-connected.js";
import { roundTiesToEven } from "../../src/reference/rounding.js";
import { linearRequantization } from "../../src/runtime/requantization.js";
import { geometryOf } from "./geometries.js";
import { readVectors, type VectorCase } from "./vector-file.js";

// PyTorch's quantized layers, whose uint8 codes are ours moved by 128.

interface Layer extends VectorCase {
  readonly relu: boolean;
  readonly x_scale: number;
  readonly x_zero_point: number;
  readonly xq: readonly number[];
  readonly w_scale: readonly number[];
  readonly wq: readonly number[];
  readonly bias: readonly number[] | null;
  readonly y_scale: number;
  readonly y_zero_point: number;
  readonly yq: readonly number[];
}

interface Linear extends Layer {
  readonly n: number;
  readonly k: number;
  readonly m: number;
  readonly acc_int32_without_bias: readonly number[];
}

interface Conv extends Layer {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly ci: number;
  readonly co: number;
  readonly k: number;
  readonly stride: number;
  readonly pad: number;
  readonly dilation: number;
  readonly groups: number;
}

/** The node without its sizes, the input and output tensors; the bias on its int32 grid. */
function layerOf(layer: Layer, channels: number) {
  const xScale = Math.fround(layer.x_scale);
  const weightScales = Float32Array.from(layer.w_scale);
  const bias = Int32Array.from({ length: channels }, (_, c) =>
    roundTiesToEven((layer.bias?.[c] ?? 0) / (xScale * weightScales[c % weightScales.length])),
  );
  const tensor = (scale: number, zeroPoint: number): Int8Tensor => ({
    dtype: "int8",
    shape: [],
    scale: Math.fround(scale),
    zeroPoint: zeroPoint - 128,
  });
  return {
    input: tensor(layer.x_scale, layer.x_zero_point),
    output: tensor(layer.y_scale, layer.y_zero_point),
    node: { name: layer.name, weightScales, activation: layer.relu ? "relu" : "linear" } as const,
    bias,
  };
}

/** A multiplier of one. */
const ONE = {
  rounding: "once",
  multiplier: Int32Array.of(2 ** 30),
  shift: Int32Array.of(-1),
  qmin: -128,
  qmax: 127,
} as const;

const toInt8 = (codes: readonly number[]): Int8Array => Int8Array.from(codes, (q) => q - 128);

/** [n, channels, size] → [n, size, channels]. */
function channelsLast(codes: readonly number[], n: number, channels: number): number[] {
  const size = codes.length / n / channels;
  return codes.map((_, i) => {
    const [pixel, c] = [Math.floor(i / channels), i % channels];
    return codes[(Math.floor(pixel / size) * channels + c) * size + (pixel % size)];
  });
}

function runLinear(layer: Linear): Int8Array {
  const { node, input, output, bias } = layerOf(layer, layer.m);
  const weights = Int8Array.from(layer.wq);
  const weighted = {
    ...node,
    op: "fullyConnected",
    weightsShape: [layer.m, layer.k],
  } as unknown as IntegerWeightedNode;
  const requantization = linearRequantization(weighted, input, output, "float32");
  const out = new Int8Array(layer.n * layer.m);
  const arithmetic = { weights, bias, inputZeroPoint: input.zeroPoint, requantization };
  integerFullyConnected(toInt8(layer.xq), arithmetic, { inChannels: layer.k, outChannels: layer.m }, out);
  return out;
}

function runConv(layer: Conv): Int8Array {
  const { n, h, w, ci, co, k, stride, pad, dilation, groups } = layer;
  const { node, input, output, bias } = layerOf(layer, co);
  const geometry = geometryOf({
    batch: n,
    input: [h, w, ci],
    kernel: [k, k],
    outChannels: co,
    strides: [stride, stride],
    dilations: [dilation, dilation],
    pad: [pad, pad, pad, pad],
  });
  const isDepthwise = groups === ci && ci > 1;
  const op = isDepthwise ? "depthwiseConv2d" : "conv2d";
  const weightsShape = isDepthwise ? [k, k, co] : [co, k, k, ci];
  const weighted = { ...node, op, weightsShape } as unknown as IntegerWeightedNode;
  const requantization = linearRequantization(weighted, input, output, "float32");
  // [co, ci / groups, k, k]; channels of other groups have weights 0.
  const weightAt = (o: number, i: number, tap: number): number => {
    const inGroup = i - Math.floor(o / (co / groups)) * (ci / groups);
    return inGroup < 0 || inGroup >= ci / groups ? 0 : layer.wq[(o * (ci / groups) + inGroup) * k * k + tap];
  };
  const weights = isDepthwise
    ? Int8Array.from({ length: k * k * co }, (_, at) => layer.wq[(at % co) * k * k + Math.floor(at / co)])
    : Int8Array.from({ length: co * k * k * ci }, (_, at) =>
        weightAt(Math.floor(at / (k * k * ci)), at % ci, Math.floor(at / ci) % (k * k)),
      );
  const out = new Int8Array(layer.yq.length);
  const convolve = isDepthwise ? integerDepthwiseConv2d : integerConv2d;
  const arithmetic = { weights, bias, inputZeroPoint: input.zeroPoint, requantization };
  convolve(toInt8(channelsLast(layer.xq, n, ci)), arithmetic, geometry, out);
  return out;
}

/** How many codes differ, by how much at most, of how many. */
function differences(pairs: readonly (readonly [Int8Array, Int8Array])[]) {
  const sizes = pairs.flatMap(([own, theirs]) => Array.from(own, (code, i) => Math.abs(code - theirs[i])));
  return { codes: sizes.length, differ: sizes.filter((size) => size > 0).length, largest: Math.max(...sizes) };
}

describe("PyTorch's int8 layers, rounding float32", () => {
  for (const engine of ["qnnpack", "onednn"]) {
    const linear = readVectors<Linear>(`torch_int8_linear_${engine}`).cases;
    const conv = readVectors<Conv>(`torch_int8_conv2d_${engine}`).cases;

    it(`linear sums without bias, ${engine}`, () => {
      for (const { name, k, m, xq, wq, x_zero_point, acc_int32_without_bias } of linear) {
        for (const [at, sum] of acc_int32_without_bias.entries()) {
          const [row, o] = [Math.floor(at / m), at % m];
          const out = new Int8Array(1);
          // Times one, less the expected sum: 0 where the sums are equal.
          const requantization = { ...ONE, zeroPoint: -sum };
          const weights = Int8Array.from(wq.slice(o * k, (o + 1) * k));
          const layer = { weights, inputZeroPoint: x_zero_point - 128, requantization };
          const sizes = { inChannels: k, outChannels: 1 };
          integerFullyConnected(toInt8(xq.slice(row * k, (row + 1) * k)), layer, sizes, out);
          assert.equal(out[0], 0, `${name}, sum ${at}`);
        }
      }
    });

    it(`linear codes, ${engine}`, () => {
      const pairs = linear.map((layer) => [runLinear(layer), toInt8(layer.yq)] as const);
      assert.deepEqual(differences(pairs), { codes: 208, differ: 0, largest: 0 });
    });

    // onednn rounds some products on the other side of a tie.
    const others = engine === "qnnpack" ? { differ: 0, largest: 0 } : { differ: 4, largest: 1 };
    it(`conv2d codes, ${engine}`, () => {
      const pairs = conv.map((layer) => [runConv(layer), toInt8(channelsLast(layer.yq, layer.n, layer.co))] as const);
      assert.deepEqual(differences(pairs), { codes: 2122, ...others });
    });
  }
});
