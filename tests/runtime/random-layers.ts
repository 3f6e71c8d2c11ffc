import fc from "fast-check";
import type {
  Int8Tensor,
  IntegerConv2dNode,
  IntegerDepthwiseConv2dNode,
  IntegerFullyConnectedNode,
  QuantizedGraph,
} from "../../src/graph/quantized-graph.js";

/** A graph of one layer with weights. */
export interface LayerCase {
  readonly graph: QuantizedGraph;
  readonly input: Int8Array;
}

/** Reproducible codes. */
export function codesOf(length: number, seed: number, least = -128, most = 127): Int8Array {
  let state = seed | 1;
  return Int8Array.from({ length }, () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    const bits = (Math.imul(state ^ (state >>> 12), 0x297a2d39) >>> 8) / 2 ** 24;
    return least + Math.floor(bits * (most - least + 1));
  });
}

const windowed = (size: number, kernel: number, stride: number, dilation: number, padding: "same" | "valid"): number =>
  padding === "same" ? Math.ceil(size / stride) : Math.ceil((size - (kernel - 1) * dilation) / stride);

const activation = fc.constantFrom("linear" as const, "relu" as const, "relu6" as const);
const zeroPoint = fc.integer({ min: -128, max: 127 });

const parameters = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 1, max: 11 }),
  width: fc.integer({ min: 1, max: 11 }),
  inChannels: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(8, 16, 32)),
  outChannels: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(8, 16, 24)),
  kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  padding: fc.constantFrom("same" as const, "valid" as const),
  activation,
  inputZeroPoint: zeroPoint,
  outputZeroPoint: zeroPoint,
  /** Of the output: sums fill the codes, overflow them, or all but vanish. */
  outputScale: fc.constantFrom(2, 0.05, 1000),
  spread: fc.constantFrom(0, 1, 2),
  perTensor: fc.boolean(),
  bias: fc.boolean(),
  seed: fc.nat(),
});

type Parameters = typeof parameters extends fc.Arbitrary<infer T> ? T : never;

function tensorsOf(p: Parameters, inputShape: readonly number[], outputShape: readonly number[], depth: number) {
  const input: Int8Tensor = { dtype: "int8", shape: inputShape, scale: 0.5, zeroPoint: p.inputZeroPoint };
  const scale = Math.fround(p.outputScale * Math.sqrt(depth) * 0.5);
  const output: Int8Tensor = { dtype: "int8", shape: outputShape, scale, zeroPoint: p.outputZeroPoint };
  return { x: input, y: output };
}

/** Weight scales around 1: alike (0), within a factor of 16 (1), or with some that all but vanish (2). */
function scalesOf(p: Parameters, channels: number): Float32Array {
  const exponents = [
    [0, 0, 0],
    [0, -2, 2],
    [0, -24, -12],
  ][p.spread];
  return Float32Array.from(
    { length: p.perTensor ? 1 : channels },
    (_, c) => (1 + ((c * 7) % 11) / 16) * 2 ** exponents[c % 3],
  );
}

function weighted(p: Parameters, channels: number, size: number) {
  const bias = codesOf(channels, p.seed + 5);
  return {
    name: "layer",
    inputs: ["x"],
    output: "y",
    weights: codesOf(size, p.seed + 3, -127),
    weightBits: 8 as const,
    weightScales: scalesOf(p, channels),
    activation: p.activation,
    ...(p.bias ? { bias: Int32Array.from(bias, (b) => b * 301) } : {}),
  };
}

function caseOf(p: Parameters, node: QuantizedGraph["nodes"][number], tensors: QuantizedGraph["tensors"]): LayerCase {
  const graph: QuantizedGraph = { name: "one layer", inputs: ["x"], outputs: ["y"], tensors, nodes: [node] };
  const length = tensors.x.shape.reduce((product, size) => product * size, 1);
  return { graph, input: codesOf(length, p.seed) };
}

/** Convolutions of any window, stride, dilation and padding. */
export const convolutions = (fixed: Partial<Parameters> = {}): fc.Arbitrary<LayerCase> =>
  parameters
    .map((drawn) => ({ ...drawn, ...fixed }))
    .map((p) => ({
      p,
      height: windowed(p.height, p.kernel[0], p.strides[0], p.dilations[0], p.padding),
      width: windowed(p.width, p.kernel[1], p.strides[1], p.dilations[1], p.padding),
    }))
    .filter(({ height, width }) => height > 0 && width > 0)
    .map(({ p, height, width }) => {
      const weightsShape = [p.outChannels, ...p.kernel, p.inChannels] as const;
      const depth = p.kernel[0] * p.kernel[1] * p.inChannels;
      const node: IntegerConv2dNode = {
        ...weighted(p, p.outChannels, p.outChannels * depth),
        op: "conv2d",
        weightsShape,
        strides: p.strides,
        dilations: p.dilations,
        padding: p.padding,
      };
      return caseOf(
        p,
        node,
        tensorsOf(p, [p.batch, p.height, p.width, p.inChannels], [p.batch, height, width, p.outChannels], depth * 2000),
      );
    });

/** Depthwise convolutions, multipliers 1 to 3. */
export const depthwiseConvolutions = (fixed: Partial<Parameters> = {}): fc.Arbitrary<LayerCase> =>
  fc
    .tuple(parameters, fc.integer({ min: 1, max: 3 }))
    .map(([drawn, multiplier]) => ({ p: { ...drawn, ...fixed }, multiplier }))
    .map(({ p, multiplier }) => ({
      p,
      multiplier,
      height: windowed(p.height, p.kernel[0], p.strides[0], p.dilations[0], p.padding),
      width: windowed(p.width, p.kernel[1], p.strides[1], p.dilations[1], p.padding),
    }))
    .filter(({ height, width }) => height > 0 && width > 0)
    .map(({ p, multiplier, height, width }) => {
      const channels = p.inChannels * multiplier;
      const taps = p.kernel[0] * p.kernel[1];
      const node: IntegerDepthwiseConv2dNode = {
        ...weighted(p, channels, taps * channels),
        op: "depthwiseConv2d",
        weightsShape: [...p.kernel, channels],
        multiplier,
        strides: p.strides,
        dilations: p.dilations,
        padding: p.padding,
      };
      return caseOf(
        p,
        node,
        tensorsOf(p, [p.batch, p.height, p.width, p.inChannels], [p.batch, height, width, channels], taps * 2000),
      );
    });

/** Fully connected layers of one to nine rows. */
export const fullyConnected = (fixed: Partial<Parameters> = {}): fc.Arbitrary<LayerCase> =>
  fc
    .tuple(parameters, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 40 }))
    .map(([drawn, rows, inputs, outputs]) => {
      const p = { ...drawn, ...fixed };
      const node: IntegerFullyConnectedNode = {
        ...weighted(p, outputs, outputs * inputs),
        op: "fullyConnected",
        weightsShape: [outputs, inputs],
        keepDims: false,
      };
      return caseOf(p, node, tensorsOf(p, [rows, inputs], [rows, outputs], inputs * 2000));
    });

/** Three 3 × 3 convolutions in a row, whose tensors share memory and have borders. */
export const chains: fc.Arbitrary<LayerCase> = fc
  .tuple(
    fc.integer({ min: 1, max: 2 }),
    fc.integer({ min: 4, max: 9 }),
    fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 4, maxLength: 4 }),
    fc.array(zeroPoint, { minLength: 4, maxLength: 4 }),
    fc.nat(),
  )
  .map(([batch, size, channels, zeroPoints, seed]) => {
    const names = ["x", "a", "b", "y"];
    const tensors = Object.fromEntries(
      names.map((name, i): [string, Int8Tensor] => [
        name,
        { dtype: "int8", shape: [batch, size, size, channels[i]], scale: 0.5, zeroPoint: zeroPoints[i] },
      ]),
    );
    const nodes = names.slice(1).map((output, i): IntegerConv2dNode => {
      const depth = 9 * channels[i];
      return {
        name: output,
        op: "conv2d",
        inputs: [names[i]],
        output,
        weights: codesOf(channels[i + 1] * depth, seed + i),
        weightsShape: [channels[i + 1], 3, 3, channels[i]],
        weightBits: 8,
        weightScales: Float32Array.of(1 / (64 * Math.sqrt(depth))),
        activation: "linear",
        strides: [1, 1],
        dilations: [1, 1],
        padding: "same",
      };
    });
    const graph: QuantizedGraph = { name: "chain", inputs: ["x"], outputs: ["y"], tensors, nodes };
    return { graph, input: codesOf(batch * size * size * channels[0], seed + 9) };
  });
