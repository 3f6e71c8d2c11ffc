import { expectThat } from "../core/expect-that.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import { nodeLabel } from "./node-label.js";
import type { QuantizedNode } from "./quantized-graph.js";
import type { Padding, Pair } from "./types.js";

/** Most axes a tensor has. */
export const MAX_RANK = 8;

/**
 * The shape of a node's output.
 *
 * same: ⌈n / stride⌉; valid: ⌈(n − (k − 1)·dilation) / stride⌉. reshape, stridedSlice and the resizes say their size by
 * their output alone: there `claimed` is checked against the input, and returned.
 *
 * @param inputs shapes of the node's inputs, of sizes ≥ 1
 * @param claimed the shape that the graph gives the output
 *
 * Errors: QuantError `invalid-model`, naming the node, for inputs of a wrong number, rank or size, or fields that do not fit.
 */
export function inferQuantizedShape(node: QuantizedNode, inputs: readonly Shape[], claimed: Shape): Shape {
  const expect: (fits: boolean, expected: string, actual: unknown) => void = (fits, expected, actual) =>
    expectThat(fits, "invalid-model", nodeLabel(node), expected, actual);
  const fewest = node.op === "add" || node.op === "subtract" || node.op === "multiply" ? 2 : 1;
  const most = node.op === "concat" ? inputs.length : fewest;
  expect(inputs.length >= fewest && inputs.length <= most, `${fewest} inputs`, inputs.length);
  const [x] = inputs;
  const rank = x.length;
  const integers = (name: string, values: readonly number[], least: number, below = 2 ** 31): void => {
    const wrong = values.find((n) => !(Number.isInteger(n) && n >= least && n < below));
    expect(wrong === undefined, `${name} of integers in [${least}, ${below - 1}]`, wrong);
  };
  const onMap = (): void => expect(rank === 4, "an input [batch, height, width, channels]", x);
  const windowed = (window: Pair, strides: Pair, dilations: Pair, padding: Padding): Shape => {
    onMap();
    integers("window, strides and dilations", [...window, ...strides, ...dilations], 1);
    const sizes = [0, 1].map((i) => {
      const reach = padding === "same" ? 0 : (window[i] - 1) * dilations[i];
      return Math.ceil((x[i + 1] - reach) / strides[i]);
    });
    expect(sizes[0] >= 1 && sizes[1] >= 1, "an input no smaller than the window", x);
    return sizes;
  };
  switch (node.op) {
    case "conv2d": {
      const [out, kh, kw, channels] = node.weightsShape;
      const [height, width] = windowed([kh, kw], node.strides, node.dilations, node.padding);
      expect(x[3] === channels, `an input of ${channels} channels`, x);
      return [x[0], height, width, out];
    }
    case "depthwiseConv2d": {
      const [kh, kw, out] = node.weightsShape;
      const [height, width] = windowed([kh, kw], node.strides, node.dilations, node.padding);
      expect(x[3] * node.multiplier === out, `an input of ${out} / ${node.multiplier} channels`, x);
      return [x[0], height, width, out];
    }
    case "fullyConnected": {
      const [out, channels] = node.weightsShape;
      const size = sizeOf(x);
      if (node.keepDims) expect(x.at(-1) === channels, `an input whose last size is ${channels}`, x);
      else expect(size % channels === 0, `an input of a multiple of ${channels} elements`, x);
      return node.keepDims ? [...x.slice(0, -1), out] : [size / channels, out];
    }
    case "add":
    case "subtract":
    case "multiply": {
      const [, y] = inputs;
      return Array.from({ length: Math.max(rank, y.length) }, (_, i, length = Math.max(rank, y.length)) => {
        const [a, b] = [x[i - length + rank] ?? 1, y[i - length + y.length] ?? 1];
        expect(a === b || a === 1 || b === 1, `inputs whose sizes are equal or 1 beside ${formatShape(x)}`, y);
        return Math.max(a, b);
      });
    }
    case "concat": {
      integers("an axis", [node.axis], 0, rank);
      for (const shape of inputs) {
        const same = shape.length === rank && shape.every((size, i) => i === node.axis || size === x[i]);
        expect(same, `inputs that differ from ${formatShape(x)} in axis ${node.axis} only`, shape);
      }
      return x.map((size, i) => (i === node.axis ? inputs.reduce((sum, shape) => sum + shape[i], 0) : size));
    }
    case "maxPool2d":
    case "averagePool2d": {
      const [height, width] = windowed(node.poolSize, node.strides, [1, 1], node.padding);
      return [x[0], height, width, x[3]];
    }
    case "mean": {
      integers("axes", node.axes, 0, rank);
      const ascending = node.axes.every((axis, i) => i === 0 || axis > node.axes[i - 1]);
      expect(node.axes.length > 0 && ascending, "ascending axes", node.axes);
      const kept = x.map((size, i) => (node.axes.includes(i) ? 1 : size));
      return node.keepDims ? kept : kept.filter((_, i) => !node.axes.includes(i));
    }
    case "pad":
      expect(node.padding.length === rank, `padding of ${rank} axes`, node.padding.length);
      integers("padding", node.padding.flat(), 0);
      return x.map((size, i) => node.padding[i][0] + size + node.padding[i][1]);
    case "reshape":
      expect(sizeOf(claimed) === sizeOf(x), `an output of ${sizeOf(x)} elements`, claimed);
      return claimed;
    case "transpose": {
      const sorted = [...node.permutation].sort((a, b) => a - b);
      const valid = sorted.length === rank && sorted.every((axis, i) => axis === i);
      expect(valid, `a permutation of the ${rank} axes`, node.permutation);
      return node.permutation.map((axis) => x[axis]);
    }
    case "stridedSlice": {
      const { begin, strides } = node;
      expect(
        [begin, strides, claimed].every(({ length }) => length === rank),
        `begin, strides and an output of ${rank} axes`,
        claimed,
      );
      integers("begin", begin, 0);
      integers("strides", strides, 1);
      const fits = claimed.every((size, i) => begin[i] + (size - 1) * strides[i] < x[i]);
      expect(fits, `a slice of ${formatShape(x)}`, claimed);
      return claimed;
    }
    case "resizeNearest":
    case "resizeBilinear": {
      onMap();
      const same = claimed.length === 4 && claimed[0] === x[0] && claimed[3] === x[3];
      expect(same, `an output [${x[0]}, height, width, ${x[3]}]`, claimed);
      return claimed;
    }
    case "argMax":
      integers("an axis", [node.axis], 0, rank);
      return x.filter((_, i) => i !== node.axis);
    case "softmax":
      expect(rank >= 1, "an input with an axis", x);
      return x;
    default:
      return x;
  }
}

/** Checks that a shape of the graph is a list of at most MAX_RANK integers ≥ 1, of fewer than 2^31 elements in all. */
export function isQuantizedShape(shape: Shape): boolean {
  return (
    shape.length <= MAX_RANK && shape.every((size) => Number.isInteger(size) && size >= 1) && sizeOf(shape) < 2 ** 31
  );
}
