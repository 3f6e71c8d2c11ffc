import type { CodeTable } from "../reference/code-table.js";
import type { LayerKernel, LayerNumbers } from "../wasm/layer-words.js";
import type { LayerStep } from "./layer-step.js";
import type { Operand, OpPlan } from "./op-plan.js";
import { axisSteps, innermostLoops, mergeLoops } from "./strided-loops.js";

// Ops that make one element of each: rows of neighbouring elements, whatever the shape.

/** A table of codes. */
export function planTable(node: string, table: CodeTable): OpPlan {
  return { dense: false, steps: ([x], y) => elementwiseSteps(node, "lookUpCodes", x, y, {}, table) };
}

/** float32 to codes; `codes` are those of the output. */
export function planQuantize(node: string, codes: BorderCodes): OpPlan {
  return { dense: false, steps: ([x], y) => elementwiseSteps(node, "quantizeF32", x, y, numbersOf(codes)) };
}

/** Codes to float32; `codes` are those of the input. */
export function planDequantize(node: string, codes: BorderCodes): OpPlan {
  return { dense: false, steps: ([x], y) => elementwiseSteps(node, "dequantizeF32", x, y, numbersOf(codes)) };
}

/** Parameters of the int8 tensor at a border. */
export interface BorderCodes {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly qmin?: number;
}

function numbersOf({ scale, zeroPoint, qmin = -128 }: BorderCodes): LayerNumbers {
  const [bits] = new Int32Array(Float32Array.of(scale).buffer);
  return { scale: bits, zeroPoint, qmin, qmax: 127 };
}

function elementwiseSteps(
  node: string,
  kernel: LayerKernel,
  x: Operand,
  y: Operand,
  numbers: LayerNumbers,
  weights?: Int8Array,
): LayerStep[] {
  const [from, to] = [axisSteps(x), axisSteps(y)];
  const merged = mergeLoops(y.shape.map((size, i) => ({ size, steps: [from[i], to[i]] })));
  // Where elements are no neighbours, each is a row of its own.
  const adjacent = merged.at(-1)?.steps.every((step, i) => step === [x, y][i].layout.elementBytes);
  const run = adjacent ? merged.pop() : undefined;
  const { loops, offsets } = innermostLoops(merged, 2, 2);
  const [images, rows] = loops;
  return offsets.map(([xAt, yAt]) => ({
    node,
    kernel,
    x: { tensor: x.name, offset: x.layout.origin + xAt },
    y: { tensor: y.name, offset: y.layout.origin + yAt },
    numbers: {
      images: images.size,
      xImageBytes: images.steps[0],
      yImageBytes: images.steps[1],
      rows: rows.size,
      xRowBytes: rows.steps[0],
      yRowBytes: rows.steps[1],
      columns: 1,
      run: run?.size ?? 1,
      ...numbers,
    },
    weights,
    scratchBytes: 0,
    macs: 0,
  }));
}
