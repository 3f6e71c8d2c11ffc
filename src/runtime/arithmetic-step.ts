import type { RoundingRule } from "../core/rounding-rule.js";
import type { Int8Tensor, IntegerArithmeticNode } from "../graph/quantized-graph.js";
import type { FixedPointMultiplier } from "../reference/fixed-point-multiplier.js";
import { ADDITION_LEFT_SHIFT, type Addition } from "../reference/integer-add.js";
import { type Requantization, roundTwice } from "../reference/requantize.js";
import { BLOCK, BLOCK_CHANNELS, COMBINED_GROUPS } from "../wasm/layer-words.js";
import { additionRule } from "./addition-rule.js";
import { elementBlock, emptyBlock } from "./element-block.js";
import type { LayerStep } from "./layer-step.js";
import type { Operand, OpPlan } from "./op-plan.js";
import { productRequantization } from "./requantization.js";
import { axisSteps, innermostLoops, mergeLoops } from "./strided-loops.js";

/** What is left of a kernel's call when its walk is told. */
type Call = Pick<LayerStep, "kernel" | "weights" | "scratchBytes"> & {
  readonly block: (run: number) => Int32Array;
  readonly codes: { readonly zeroPoint: number; readonly qmin: number; readonly qmax: number };
};

/** Room for a run of either input where one code serves all of it. */
const PLACES_BYTES = 32;
const COMBINED_BYTES = PLACES_BYTES + COMBINED_GROUPS * (4 + 4 * BLOCK_CHANNELS);

/**
 * add, subtract and multiply. None where a sum in one rounding does not fit 32 bits, which takes inputs whose scales are more than
 * four times the output's.
 */
export function planArithmetic(
  node: IntegerArithmeticNode,
  [a, b]: readonly Int8Tensor[],
  output: Int8Tensor,
  rounding: RoundingRule,
): OpPlan | undefined {
  const call =
    node.op === "multiply"
      ? productCall(a, b, productRequantization(node, a, b, output, rounding))
      : additionCall(additionRule(node, a, b, output, rounding));
  if (call === undefined) return undefined;
  return { dense: false, steps: ([first, second], out) => walk(node.name, call, first, second, out) };
}

function additionCall(addition: Addition): Call | undefined {
  const { zeroPoint, qmin, qmax } = addition;
  const codes = { zeroPoint, qmin, qmax };
  if (addition.rounding === "twice") {
    const weights = Int32Array.of(
      ...scaledCodes(addition.aZeroPoint, addition.a, 1),
      ...scaledCodes(addition.bZeroPoint, addition.b, addition.sign),
    );
    const { multiplier, shift } = addition.sum;
    const to: Requantization = {
      ...codes,
      rounding: "twice",
      multiplier: Int32Array.of(multiplier),
      shift: Int32Array.of(shift),
    };
    const block = (run: number) => elementBlock({ bias: 0, least: 0, largest: 0 }, to, run);
    return { kernel: "addTables", weights, scratchBytes: COMBINED_BYTES, block, codes };
  }
  const { aMultiplier, bMultiplier, aZeroPoint, bZeroPoint, shift } = addition;
  const half = 2 ** (shift - 1);
  const reach = (multiplier: number, zeroPoint: number): number =>
    Math.abs(multiplier) * Math.max(zeroPoint + 128, 127 - zeroPoint);
  if (reach(aMultiplier, aZeroPoint) + reach(bMultiplier, bZeroPoint) + half >= 2 ** 31) return undefined;
  const block = (run: number): Int32Array => {
    const words = emptyBlock(run);
    // Parts of a sum may wrap, and so may the bias.
    words.fill(half - aMultiplier * aZeroPoint - bMultiplier * bZeroPoint, BLOCK.bias, BLOCK.bias + BLOCK_CHANNELS);
    words.fill(aMultiplier, BLOCK.multiplier, BLOCK.multiplier + BLOCK_CHANNELS);
    words.fill(bMultiplier, BLOCK.secondMultiplier, BLOCK.secondMultiplier + BLOCK_CHANNELS);
    words[BLOCK.shift] = shift;
    return words;
  };
  return { kernel: "addCodes", scratchBytes: PLACES_BYTES, block, codes };
}

/** What TensorFlow Lite makes of each code before it adds, by the code's bits. */
function scaledCodes(zeroPoint: number, multiplier: FixedPointMultiplier, sign: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, bits) => {
    const code = (bits << 24) >> 24;
    return sign * roundTwice((code - zeroPoint) << ADDITION_LEFT_SHIFT, multiplier);
  });
}

function productCall(a: Int8Tensor, b: Int8Tensor, to: Requantization): Call {
  const ends = (zeroPoint: number): number[] => [-128 - zeroPoint, 127 - zeroPoint];
  const products = ends(a.zeroPoint).flatMap((u) => ends(b.zeroPoint).map((v) => u * v));
  const range = { bias: 0, least: Math.min(...products), largest: Math.max(...products) };
  const block = (run: number): Int32Array => {
    const words = elementBlock(range, to, run);
    words[BLOCK.zeroPoint] = a.zeroPoint;
    words[BLOCK.secondZeroPoint] = b.zeroPoint;
    return words;
  };
  const { zeroPoint, qmin, qmax } = to;
  return { kernel: "multiplyCodes", scratchBytes: COMBINED_BYTES, block, codes: { zeroPoint, qmin, qmax } };
}

function walk(node: string, call: Call, a: Operand, b: Operand, output: Operand): LayerStep[] {
  const [aSteps, bSteps, ySteps] = [broadcastSteps(a, output), broadcastSteps(b, output), axisSteps(output)];
  const merged = mergeLoops(output.shape.map((size, i) => ({ size, steps: [aSteps[i], bSteps[i], ySteps[i]] })));
  // Where elements are no neighbours, each is a pixel of its own.
  const [x = 0, x2 = 0, y = 0] = merged.at(-1)?.steps ?? [];
  const run = x <= 1 && x2 <= 1 && y === 1 ? merged.pop() : undefined;
  const { loops, offsets } = innermostLoops(merged, 3, 3);
  const [images, rows, columns] = loops;
  const length = run?.size ?? 1;
  const blocks = call.block(length);
  return offsets.map(([x, x2, y]) => ({
    node,
    kernel: call.kernel,
    x: { tensor: a.name, offset: a.layout.origin + x },
    x2: { tensor: b.name, offset: b.layout.origin + x2 },
    y: { tensor: output.name, offset: output.layout.origin + y },
    numbers: {
      images: images.size,
      xImageBytes: images.steps[0],
      x2ImageBytes: images.steps[1],
      yImageBytes: images.steps[2],
      rows: rows.size,
      xRowBytes: rows.steps[0],
      x2RowBytes: rows.steps[1],
      yRowBytes: rows.steps[2],
      columns: columns.size,
      xPixelBytes: columns.steps[0],
      x2PixelBytes: columns.steps[1],
      yPixelBytes: columns.steps[2],
      run: length,
      xStep: run?.steps[0] ?? 1,
      x2Step: run?.steps[1] ?? 1,
      blockCount: 1,
      ...call.codes,
    },
    weights: call.weights,
    blocks,
    scratchBytes: call.scratchBytes,
    macs: 0,
  }));
}

/** Steps of an input along the output's axes: 0 where it has one element or no such axis. */
function broadcastSteps(input: Operand, output: Operand): number[] {
  const own = axisSteps(input);
  const missing = output.shape.length - input.shape.length;
  return output.shape.map((_, i) => (i < missing || input.shape[i - missing] === 1 ? 0 : own[i - missing]));
}
