import fc from "fast-check";
import type { Int8Tensor, QuantizedGraph, QuantizedNode, QuantizedTensor } from "../../src/graph/quantized-graph.js";
import { inferQuantizedShape } from "../../src/graph/quantized-shapes.js";
import { smallestCode } from "../../src/graph/smallest-code.js";
import type { FusedActivation, Padding, Pair } from "../../src/graph/types.js";

// Small quantized networks of every op, valid by construction: for round trips through files and for runs against the
// reference. Every choice is a number that fast-check draws, so that failures shrink to few nodes of small sizes.
//
// Scales are such that codes spread over the grid instead of saturating, no op acts along the batch, nodes have the names of
// their outputs, and qmin says what smallestCode says: what comes back from a file is equal to what was written.

export const QUANTIZED_OPS = [
  "conv2d",
  "depthwiseConv2d",
  "fullyConnected",
  "add",
  "subtract",
  "multiply",
  "concat",
  "maxPool2d",
  "averagePool2d",
  "mean",
  "pad",
  "reshape",
  "transpose",
  "stridedSlice",
  "resizeNearest",
  "resizeBilinear",
  "relu",
  "relu6",
  "logistic",
  "tanh",
  "hardSwish",
  "leakyRelu",
  "softmax",
  "argMax",
  "quantize",
] as const;

type Op = (typeof QUANTIZED_OPS)[number];

export interface RandomGraphOptions {
  /** Ops to choose from; default: all. quantize and dequantize stand at float32 borders besides. */
  readonly ops?: readonly Op[];
  /** Most nodes, borders and requantizations aside; default 6. */
  readonly nodes?: number;
  /** Types of inputs and outputs; default: either. */
  readonly io?: "int8" | "float32";
  /** Whether activations below 8 bits (a qmin that no op gives) occur; default true. */
  readonly lowBit?: boolean;
  /** Whether weights of 4 bits occur, which runtimes older than TensorFlow Lite 2.11 do not know; default true. */
  readonly fourBit?: boolean;
}

/** An arbitrary of quantized networks. */
export function randomQuantizedGraph(options: RandomGraphOptions = {}): fc.Arbitrary<QuantizedGraph> {
  // Without fast-check's bias towards small numbers and short arrays, which would all choose the first op.
  return fc
    .noBias(fc.array(fc.nat(0x7fffffff), { minLength: 1, maxLength: 160, size: "max" }))
    .map((choices) => buildQuantizedGraph(choices, options));
}

/** The network that some numbers choose: 0 and small ones choose small things; where they end, zeros follow. */
function buildQuantizedGraph(choices: readonly number[], options: RandomGraphOptions = {}): QuantizedGraph {
  const { ops = QUANTIZED_OPS, nodes: most = 6, io, lowBit = true, fourBit = true } = options;
  let at = 0;
  const choose = (count: number): number => (choices[at++] ?? 0) % count;
  const pick = <T>(values: readonly T[]): T => values[choose(values.length)];
  /** A float32 in [from, to). */
  const between = (from: number, to: number): number => Math.fround(from + ((to - from) * choose(4096)) / 4096);
  const random = generator(choose(0x7fffffff));

  const tensors = new Map<string, QuantizedTensor>();
  const nodes: QuantizedNode[] = [];
  const inputs: string[] = [];
  const used = new Set<string>();
  const int8 = (name: string): Int8Tensor => tensors.get(name) as Int8Tensor;
  const shapeOf = (name: string): readonly number[] => (tensors.get(name) as QuantizedTensor).shape;
  const activation = (): FusedActivation => pick(["linear", "relu", "relu6"]);
  const pair = (count: number): Pair => [1 + choose(count), 1 + choose(count)];
  const padding = (): Padding => pick(["same", "valid"]);
  const batch = 1 + choose(2);

  /** Adds a node; its output gets the shape that follows, or the one that is given. */
  function push(
    fields: Record<string, unknown> & { readonly op: string; readonly inputs: readonly string[] },
    params: { readonly scale: number; readonly zeroPoint: number } | "float32" | "int32",
    claimed: readonly number[] = [],
  ): string {
    const name = `${fields.op}_${nodes.length}`;
    const node = { name, output: name, ...fields } as unknown as QuantizedNode;
    const shape = inferQuantizedShape(node, fields.inputs.map(shapeOf), claimed);
    for (const input of fields.inputs) used.add(input);
    nodes.push(node);
    if (typeof params === "string") {
      tensors.set(name, { dtype: params, shape });
      return name;
    }
    const free: Int8Tensor = { dtype: "int8", shape, ...params };
    const sources = fields.inputs.map((input) => tensors.get(input)).filter((tensor) => tensor?.dtype === "int8");
    const least = smallestCode(node, sources, free);
    const clamp = lowBit && choose(4) === 3 ? Math.max(free.zeroPoint - choose(8), -128) : -128;
    // A linear op that ends at its zero point is written as, and read back with, a fused RELU.
    const isRelu = clamp === free.zeroPoint && "activation" in node && node.activation === "linear";
    const qmin = Math.max(least, isRelu ? -128 : clamp);
    tensors.set(name, qmin > -128 ? { ...free, qmin } : free);
    return name;
  }

  const zeroPoint = (): number => choose(256) - 128;
  const params = (scale: number) => ({ scale: Math.fround(scale), zeroPoint: zeroPoint() });
  const same = (name: string) => ({ scale: int8(name).scale, zeroPoint: int8(name).zeroPoint });
  const codes = (length: number, limit: number): Int8Array =>
    Int8Array.from({ length }, () => Math.round((random() * 2 - 1) * limit));

  function input(shape: readonly number[]): string {
    const name = `input_${inputs.length}`;
    inputs.push(name);
    const tensor: Int8Tensor = { dtype: "int8", shape, ...params(between(0.01, 1)) };
    if ((io ?? pick(["int8", "float32"])) === "int8") {
      tensors.set(name, tensor);
      return name;
    }
    tensors.set(name, { dtype: "float32", shape });
    return push({ op: "quantize", inputs: [name] }, { scale: tensor.scale, zeroPoint: tensor.zeroPoint });
  }

  /** Weights, bias and parameters of a linear op that sums `depth` products per channel. */
  function linear(x: string, weightsShape: readonly number[], channels: number, depth: number) {
    const bits = pick(fourBit ? ([8, 4] as const) : ([8] as const));
    const limit = bits === 8 ? 127 : 7;
    const scales = Float32Array.from({ length: pick([1, channels]) }, () => between(0.002, 0.01));
    const spread = 74 * limit * 0.58 * Math.sqrt(depth);
    const bias = Int32Array.from({ length: channels }, () => Math.round((random() * 2 - 1) * spread));
    return {
      fields: {
        weights: codes(
          weightsShape.reduce((a, b) => a * b, 1),
          limit,
        ),
        weightsShape,
        weightBits: bits,
        weightScales: scales,
        ...(choose(4) === 3 || bias.every((value) => value === 0) ? {} : { bias }),
        activation: activation(),
      },
      params: params((int8(x).scale * 0.006 * spread) / between(30, 90)),
    };
  }

  function requantized(x: string, target: { scale: number; zeroPoint: number }): string {
    const { scale, zeroPoint } = int8(x);
    if (scale === target.scale && zeroPoint === target.zeroPoint) return x;
    return push({ op: "quantize", inputs: [x] }, target);
  }

  const isMap = (x: string): boolean => shapeOf(x).length === 4;
  const fits: Readonly<Record<Op, (x: string) => boolean>> = {
    conv2d: isMap,
    depthwiseConv2d: isMap,
    fullyConnected: () => true,
    add: () => true,
    subtract: () => true,
    multiply: () => true,
    concat: (x) => shapeOf(x).length > 1,
    maxPool2d: isMap,
    averagePool2d: isMap,
    mean: (x) => shapeOf(x).length > 1,
    pad: () => true,
    reshape: () => true,
    transpose: () => true,
    stridedSlice: () => true,
    resizeNearest: isMap,
    resizeBilinear: isMap,
    relu: () => true,
    relu6: () => true,
    logistic: () => true,
    tanh: () => true,
    // The built-in kernels' multiplier of an input scale of 3 and more does not fit.
    hardSwish: (x) => int8(x).scale < 2.9,
    leakyRelu: () => true,
    softmax: (x) => shapeOf(x).length > 1,
    argMax: (x) => shapeOf(x).length > 1,
    quantize: () => true,
  };

  /** The second operand of an arithmetic op: the same tensor, another one, or a constant. */
  function operand(x: string, name: string): string {
    const shape = shapeOf(x);
    const kind = choose(4);
    const others = [...tensors.keys()].filter(
      (other) =>
        other !== x &&
        tensors.get(other)?.dtype === "int8" &&
        int8(other).data === undefined &&
        shapeOf(other).length === shape.length &&
        shapeOf(other).every((size, i) => size === shape[i] || size === 1 || shape[i] === 1),
    );
    if (kind === 0) return x;
    if (kind === 1 && others.length > 0) return pick(others);
    const constant = pick([
      [],
      [shape.length > 1 ? shape[shape.length - 1] : 1],
      shape.map((size, i) => (i === 0 ? 1 : size)),
    ]);
    const size = constant.reduce((a, b) => a * b, 1);
    tensors.set(name, { dtype: "int8", shape: constant, ...params(between(0.01, 0.5)), data: codes(size, 127) });
    return name;
  }

  function add(op: Op, x: string): string {
    const shape = shapeOf(x);
    const rank = shape.length;
    switch (op) {
      case "conv2d": {
        const [kh, kw] = pair(3);
        const channels = 1 + choose(6);
        const { fields, params } = linear(x, [channels, kh, kw, shape[3]], channels, kh * kw * shape[3]);
        const [strides, dilations] = [pair(2), choose(3) === 2 ? pair(2) : [1, 1]];
        return push(
          { op, inputs: [x], ...fields, strides, dilations, padding: windowPadding(x, [kh, kw], dilations) },
          params,
        );
      }
      case "depthwiseConv2d": {
        const [kh, kw] = pair(3);
        const multiplier = 1 + choose(2);
        const channels = shape[3] * multiplier;
        const { fields, params } = linear(x, [kh, kw, channels], channels, kh * kw);
        const [strides, dilations] = [pair(2), choose(3) === 2 ? pair(2) : [1, 1]];
        const pad = windowPadding(x, [kh, kw], dilations);
        return push({ op, inputs: [x], ...fields, strides, dilations, padding: pad, multiplier }, params);
      }
      case "fullyConnected": {
        const keepDims = rank > 1 && choose(2) === 1;
        const depth = keepDims ? shape[rank - 1] : shape.slice(1).reduce((a, b) => a * b, 1);
        const channels = 1 + choose(6);
        const { fields, params } = linear(x, [channels, depth], channels, depth);
        return push({ op, inputs: [x], ...fields, keepDims }, params);
      }
      case "add":
      case "subtract":
      case "multiply": {
        const y = operand(x, `constant_${nodes.length}`);
        const [a, b] = [int8(x).scale, int8(y).scale];
        const scale = op === "multiply" ? a * b * between(20, 120) : Math.max(a, b) * between(0.7, 2);
        const operands = choose(2) === 1 ? [y, x] : [x, y];
        return push({ op, inputs: operands, activation: activation() }, params(scale));
      }
      case "concat": {
        const inputs = [x, ...Array.from({ length: choose(3) }, () => requantized(x, same(x)))];
        const axis = 1 + choose(rank - 1);
        const others = [...tensors.keys()].filter(
          (other) =>
            tensors.get(other)?.dtype === "int8" &&
            int8(other).data === undefined &&
            shapeOf(other).length === rank &&
            shapeOf(other).every((size, i) => i === axis || size === shape[i]) &&
            // A requantization by more than 2^8 is invalid.
            int8(other).scale < 200 * int8(x).scale,
        );
        if (others.length > 0) inputs.push(requantized(pick(others), same(x)));
        return push({ op, inputs, axis }, same(x));
      }
      case "maxPool2d":
      case "averagePool2d": {
        const poolSize = pair(3);
        const fields = { poolSize, strides: pair(2), padding: windowPadding(x, poolSize, [1, 1]) };
        return push({ op, inputs: [x], ...fields, activation: activation() }, same(x));
      }
      case "mean": {
        const axes = shape.map((_, i) => i).filter((i) => i > 0 && choose(2) === 0);
        const chosen = axes.length > 0 ? axes : [rank - 1];
        return push(
          { op, inputs: [x], axes: chosen, keepDims: choose(2) === 1 },
          params(int8(x).scale * between(0.3, 1)),
        );
      }
      case "pad": {
        const sizes = shape.map((_, i): Pair => (i === 0 ? [0, 0] : [choose(3), choose(3)]));
        return push({ op, inputs: [x], padding: sizes }, same(x));
      }
      case "reshape": {
        const rest = shape.slice(1).reduce((a, b) => a * b, 1);
        const divisor = pick(Array.from({ length: rest }, (_, i) => i + 1).filter((n) => rest % n === 0));
        const target = pick([[rest], [divisor, rest / divisor], [1, divisor, rest / divisor]]);
        return push({ op, inputs: [x] }, same(x), [shape[0], ...target]);
      }
      case "transpose": {
        const permutation = shape.map((_, i) => i);
        for (let i = rank - 1; i > 1; i--) {
          const j = 1 + choose(i);
          [permutation[i], permutation[j]] = [permutation[j], permutation[i]];
        }
        return push({ op, inputs: [x], permutation }, same(x));
      }
      case "stridedSlice": {
        const begin = shape.map((size, i) => (i === 0 ? 0 : choose(size)));
        const strides = shape.map((_, i) => (i === 0 ? 1 : 1 + choose(2)));
        const sizes = shape.map((size, i) => (i === 0 ? size : 1 + choose(Math.ceil((size - begin[i]) / strides[i]))));
        return push({ op, inputs: [x], begin, strides }, same(x), sizes);
      }
      case "resizeNearest":
      case "resizeBilinear": {
        // Half-pixel centers and aligned corners exclude each other.
        const flags = pick([
          { alignCorners: false, halfPixelCenters: false },
          { alignCorners: true, halfPixelCenters: false },
          { alignCorners: false, halfPixelCenters: true },
        ]);
        const claimed = [shape[0], 1 + choose(8), 1 + choose(8), shape[3]];
        return push({ op, inputs: [x], ...flags }, same(x), claimed);
      }
      case "logistic":
      case "softmax":
        return push(
          { op, inputs: [x], ...(op === "softmax" ? { beta: pick([1, 0.5]) } : {}) },
          { scale: 1 / 256, zeroPoint: -128 },
        );
      case "tanh":
        return push({ op, inputs: [x] }, { scale: 1 / 128, zeroPoint: 0 });
      case "leakyRelu":
        return push({ op, inputs: [x], alpha: between(0.01, 0.9) }, params(int8(x).scale * between(0.5, 1)));
      case "argMax":
        return push({ op, inputs: [x], axis: 1 + choose(rank - 1) }, "int32");
      case "relu":
      case "relu6":
      case "hardSwish":
      case "quantize":
        return push({ op, inputs: [x] }, params(int8(x).scale * between(0.5, 1.5)));
    }
  }

  /** valid where the window fits into the map, or same. */
  function windowPadding(x: string, window: Pair, dilations: readonly number[]): Padding {
    const wanted = padding();
    const fitting = [0, 1].every((i) => (window[i] - 1) * dilations[i] < shapeOf(x)[i + 1]);
    return fitting ? wanted : "same";
  }

  const first = pick([
    [batch, 1 + choose(8), 1 + choose(8), 1 + choose(9)],
    [batch, 1 + choose(20)],
    [batch, 1 + choose(6), 1 + choose(9)],
  ]);
  const live = [input(first)];
  if (choose(4) === 3) live.push(input(first));
  const count = 1 + choose(most);
  for (let n = 0; n < count; n++) {
    const x = live[Math.max(live.length - 1 - choose(3), 0)];
    const fitting = ops.filter((op) => fits[op](x));
    if (fitting.length === 0) break;
    const made = add(pick(fitting), x);
    if (tensors.get(made)?.dtype === "int8") live.push(made);
  }
  if (nodes.length === 0) push({ op: "relu", inputs: [live[0]] }, params(0.1));

  const outputs: string[] = [];
  for (const { output } of [...nodes]) {
    if (used.has(output)) continue;
    const isFloat = tensors.get(output)?.dtype === "int8" && (io ?? pick(["int8", "float32"])) === "float32";
    outputs.push(isFloat ? push({ op: "dequantize", inputs: [output] }, "float32") : output);
  }
  return { name: "random", inputs, outputs, tensors: Object.fromEntries(tensors), nodes };
}

/** Uniform numbers in [0, 1) of a seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
