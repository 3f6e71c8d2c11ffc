import { QuantError } from "../core/errors.js";
import { nodeLabel } from "./node-label.js";
import type { GraphNode, OpaqueNode, Padding, Pair, ValueShape } from "./types.js";

/** `[?, 28, 28, 1]`: a shape as errors and printGraph show it. */
export function formatValueShape(shape: ValueShape): string {
  return `[${shape.map((size) => size ?? "?").join(", ")}]`;
}

/**
 * The shape of a node's output. Opaque nodes have none that could be inferred: theirs stand in the graph's values.
 *
 * A size that depends on an unknown one is unknown. same: ⌈n / stride⌉; valid: ⌈(n − (k − 1)·dilation) / stride⌉.
 *
 * Errors: QuantError `invalid-model`, naming the node, for inputs of a wrong number, rank or size.
 */
export function inferShape(node: Exclude<GraphNode, OpaqueNode>, inputs: readonly ValueShape[]): ValueShape {
  const fail = (expected: string, actual: string) =>
    new QuantError("invalid-model", `${nodeLabel(node)}: expected ${expected}, got ${actual}`, { node: node.name });
  checkInputs(node, inputs, fail);
  const [x] = inputs;
  switch (node.op) {
    case "conv2d":
    case "depthwiseConv2d": {
      const [kh, kw, channels, out] = node.weightsShape;
      if (x[3] !== channels) throw fail(`an input of ${channels} channels`, formatValueShape(x));
      const [height, width] = windowed(x, [kh, kw], node.strides, node.dilations, node.padding);
      return positive([x[0], height, width, node.op === "conv2d" ? out : channels * out]);
    }
    case "dense": {
      const [channels, out] = node.weightsShape;
      if (x.at(-1) !== channels) throw fail(`an input whose last size is ${channels}`, formatValueShape(x));
      return [...x.slice(0, -1), out];
    }
    case "maxPool2d":
    case "averagePool2d": {
      const [height, width] = windowed(x, node.poolSize, node.strides, [1, 1], node.padding);
      return positive([x[0], height, width, x[3]]);
    }
    case "globalMaxPool2d":
    case "mean":
      return node.keepDims ? [x[0], 1, 1, x[3]] : [x[0], x[3]];
    case "zeroPad2d": {
      const [[top, bottom], [left, right]] = node.padding;
      return [x[0], plus(x[1], top + bottom), plus(x[2], left + right), x[3]];
    }
    case "upsample2d":
      return [x[0], times(x[1], node.size[0]), times(x[2], node.size[1]), x[3]];
    case "add":
    case "subtract":
    case "multiply":
      return x.map((size, i) => broadcastSize(size, inputs[1][i], () => fail(SIZES_TO_BROADCAST, list(inputs))));
    case "concat":
      return concatenated(node.axis, inputs, (expected) => fail(expected, list(inputs)));
    case "flatten":
      return [x[0], product(x.slice(1))];
    case "reshape":
      return [
        x[0],
        ...reshaped(node.targetShape, product(x.slice(1)), (expected) => fail(expected, formatValueShape(x))),
      ];
    case "permute": {
      const { permutation } = node;
      const valid = permutation[0] === 0 && [...permutation].sort((a, b) => a - b).every((axis, i) => axis === i);
      if (!valid || permutation.length !== x.length) {
        throw fail(`a permutation of the ${x.length} axes that keeps the batch first`, `[${permutation.join(", ")}]`);
      }
      return permutation.map((axis) => x[axis]);
    }
    default:
      return x;
  }

  function positive(shape: ValueShape): ValueShape {
    if (shape.every((size) => size === null || size > 0)) return shape;
    throw fail("an input no smaller than the window", formatValueShape(x));
  }
}

const SIZES_TO_BROADCAST = "inputs of equal rank whose sizes are equal or 1";

type Fail = (expected: string, actual: string) => QuantError;

/** Ops over a map [batch, height, width, channels]. */
const MAP_OPS: ReadonlySet<string> = new Set([
  "conv2d",
  "depthwiseConv2d",
  "maxPool2d",
  "averagePool2d",
  "globalMaxPool2d",
  "mean",
  "zeroPad2d",
  "upsample2d",
]);

function checkInputs({ op }: GraphNode, inputs: readonly ValueShape[], fail: Fail): void {
  if (op === "concat") {
    if (inputs.length === 0) throw fail("at least one input", "none");
    return;
  }
  const arity = op === "add" || op === "subtract" || op === "multiply" ? 2 : 1;
  if (inputs.length !== arity) throw fail(arity === 1 ? "one input" : "two inputs", String(inputs.length));
  const [{ length: rank }] = inputs;
  if (MAP_OPS.has(op) && rank !== 4) {
    throw fail("an input [batch, height, width, channels]", formatValueShape(inputs[0]));
  }
  if (rank < 2) throw fail("an input of rank ≥ 2", formatValueShape(inputs[0]));
  if (arity === 2 && inputs[1].length !== rank) throw fail(SIZES_TO_BROADCAST, list(inputs));
}

/** Height and width after a window moved over the map. */
function windowed(x: ValueShape, window: Pair, strides: Pair, dilations: Pair, padding: Padding): (number | null)[] {
  return [0, 1].map((i) => {
    const size = x[i + 1];
    if (size === null) return null;
    const reach = padding === "same" ? 0 : (window[i] - 1) * dilations[i];
    return Math.ceil((size - reach) / strides[i]);
  });
}

function broadcastSize(a: number | null, b: number | null, fail: () => QuantError): number | null {
  if (a === null || b === null) return null;
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  throw fail();
}

function concatenated(axis: number, inputs: readonly ValueShape[], fail: (expected: string) => QuantError): ValueShape {
  const [first] = inputs;
  if (!Number.isInteger(axis) || axis < 1 || axis >= first.length) {
    throw fail(`inputs with an axis ${axis} behind the batch`);
  }
  if (inputs.some(({ length }) => length !== first.length)) throw fail("inputs of equal rank");
  return first.map((_, i) => {
    const sizes = inputs.map((shape) => shape[i]);
    if (i === axis) return sizes.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0);
    const known = sizes.filter((size) => size !== null);
    if (known.some((size) => size !== known[0])) throw fail(`inputs that differ in axis ${axis} only`);
    return known[0] ?? null;
  });
}

function reshaped(target: ValueShape, size: number | null, fail: (expected: string) => QuantError): ValueShape {
  const known = product(target.filter((dim) => dim !== null)) as number;
  const unknown = target.filter((dim) => dim === null).length;
  const fits = size === null || (unknown === 0 ? known === size : size % known === 0);
  if (unknown > 1 || !fits) throw fail(`an input of the size of ${formatValueShape(target)} per sample`);
  return target.map((dim) => dim ?? (size === null ? null : size / known));
}

function product(sizes: ValueShape): number | null {
  return sizes.reduce((total, size) => times(total, size), 1);
}

function times(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a * b;
}

function plus(a: number | null, b: number): number | null {
  return a === null ? null : a + b;
}

function list(shapes: readonly ValueShape[]): string {
  return shapes.map(formatValueShape).join(", ");
}
