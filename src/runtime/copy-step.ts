import { sizeOf } from "../core/shape.js";
import type {
  IntegerConcatNode,
  IntegerPadNode,
  IntegerSliceNode,
  IntegerTransposeNode,
} from "../graph/quantized-graph.js";
import type { LayerStep } from "./layer-step.js";
import type { Operand, OpPlan } from "./op-plan.js";
import { axisSteps, innermostLoops, mergeLoops, type StridedLoop } from "./strided-loops.js";

// Ops that move codes: each is one walk over its input and its output, or one per input.

/** Inputs one behind the other along an axis. */
export function planConcat({ name, axis }: IntegerConcatNode): OpPlan {
  return {
    dense: false,
    steps(inputs, output) {
      const steps: LayerStep[] = [];
      const along = axisSteps(output);
      let at = 0;
      for (const input of inputs) {
        const from = axisSteps(input);
        const loops = input.shape.map((size, i) => ({ size, steps: [from[i], along[i]] }));
        steps.push(...copies(name, input, 0, output, at, loops));
        at += input.shape[axis] * along[axis];
      }
      return steps;
    },
  };
}

/** The output's map filled with the zero point, and the input copied into it. */
export function planPad({ name, padding }: IntegerPadNode, zeroPoint: number): OpPlan {
  return {
    dense: false,
    steps([input], output) {
      const [from, to] = [axisSteps(input), axisSteps(output)];
      const loops = input.shape.map((size, i) => ({ size, steps: [from[i], to[i]] }));
      const at = padding.reduce((sum, [before], i) => sum + before * to[i], 0);
      return [fill(name, output, zeroPoint), ...copies(name, input, 0, output, at, loops)];
    },
  };
}

/** Every strides[k]-th index along each axis, from begin[k] on. */
export function planSlice({ name, begin, strides }: IntegerSliceNode): OpPlan {
  return {
    dense: false,
    steps([input], output) {
      const [from, to] = [axisSteps(input), axisSteps(output)];
      const loops = output.shape.map((size, i) => ({ size, steps: [strides[i] * from[i], to[i]] }));
      const at = begin.reduce((sum, index, i) => sum + index * from[i], 0);
      return copies(name, input, at, output, 0, loops);
    },
  };
}

/** Axis k of the output is axis permutation[k] of the input. */
export function planTranspose({ name, permutation }: IntegerTransposeNode): OpPlan {
  return {
    dense: false,
    steps([input], output) {
      const [from, to] = [axisSteps(input), axisSteps(output)];
      const loops = output.shape.map((size, i) => ({ size, steps: [from[permutation[i]], to[i]] }));
      return copies(name, input, 0, output, 0, loops);
    },
  };
}

/** Copies codes along loops over [input, output]; xAt and yAt count from the first elements. */
function copies(
  node: string,
  input: Operand,
  xAt: number,
  output: Operand,
  yAt: number,
  walk: readonly StridedLoop[],
): LayerStep[] {
  const merged = mergeLoops(walk);
  // Where the output's elements are no neighbours, each is a pixel of its own.
  const run = merged.at(-1)?.steps[1] === 1 ? merged.pop() : undefined;
  const { loops, offsets } = innermostLoops(merged, 3, 2);
  const [images, rows, columns] = loops;
  return offsets.map(([x, y]) => ({
    node,
    kernel: "copyStrided",
    x: { tensor: input.name, offset: input.layout.origin + xAt + x },
    y: { tensor: output.name, offset: output.layout.origin + yAt + y },
    numbers: {
      images: images.size,
      xImageBytes: images.steps[0],
      yImageBytes: images.steps[1],
      rows: rows.size,
      xRowBytes: rows.steps[0],
      yRowBytes: rows.steps[1],
      columns: columns.size,
      xPixelBytes: columns.steps[0],
      yPixelBytes: columns.steps[1],
      run: run?.size ?? 1,
      xStep: run?.steps[0] ?? 1,
    },
    scratchBytes: 0,
    macs: 0,
  }));
}

/** Fills the map of a tensor, row by row where it has a border. */
function fill(node: string, output: Operand, zeroPoint: number): LayerStep {
  const { images, height, width, pixelBytes, rowBytes, imageBytes, origin } = output.layout;
  const y = { tensor: output.name, offset: origin };
  const whole = sizeOf(output.shape);
  const dense = images * imageBytes === whole;
  return {
    node,
    kernel: "fillRows",
    x: y,
    y,
    numbers: dense
      ? { images: 1, rows: 1, columns: whole, zeroPoint }
      : { images, yImageBytes: imageBytes, rows: height, columns: width * pixelBytes, yRowBytes: rowBytes, zeroPoint },
    scratchBytes: 0,
    macs: 0,
  };
}
