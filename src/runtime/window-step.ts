import type { LayerKernel, LayerNumbers } from "../wasm/layer-words.js";
import type { LayerStep } from "./layer-step.js";
import type { Operand } from "./op-plan.js";

/** Where the windows of one output row (or column) begin, and how many input rows (or pixels) they have. */
export interface Span {
  readonly first: number;
  readonly count: number;
}

/** How windows lie over an input and what is made of them over the output: the walk of maxPool, averagePool and meanCodes. */
export interface WindowMap {
  readonly images: number;
  readonly xImageBytes: number;
  readonly inRowBytes: number;
  readonly xPixelBytes: number;
  /** Neighbouring elements that are taken at every pixel. */
  readonly run: number;
  readonly yImageBytes: number;
  readonly yRowBytes: number;
  readonly yPixelBytes: number;
  readonly rows: readonly Span[];
  readonly columns: readonly Span[];
}

/** The windows along one axis, cut at its ends. */
export function windowSpans(outputs: number, stride: number, window: number, pad: number, size: number): Span[] {
  return Array.from({ length: outputs }, (_, i) => {
    const first = Math.max(0, i * stride - pad);
    return { first, count: Math.min(size, i * stride - pad + window) - first };
  });
}

/** A kernel's call over windows. */
export function windowStep(
  node: string,
  kernel: LayerKernel,
  [x, y]: readonly [Operand, Operand],
  { rows, columns, ...map }: WindowMap,
  rest: { readonly numbers: LayerNumbers; readonly blocks?: Int32Array },
): LayerStep {
  const entries = (spans: readonly Span[], bytes: number): number[] =>
    spans.flatMap(({ first, count }) => [first * bytes, count]);
  return {
    node,
    kernel,
    x: { tensor: x.name, offset: x.layout.origin },
    y: { tensor: y.name, offset: y.layout.origin },
    numbers: {
      ...map,
      rows: rows.length,
      columns: columns.length,
      tapCount: 2 * (rows.length + columns.length),
      ...rest.numbers,
    },
    taps: Uint32Array.of(...entries(rows, map.inRowBytes), ...entries(columns, map.xPixelBytes)),
    blocks: rest.blocks,
    scratchBytes: SCRATCH_BYTES,
    macs: 0,
  };
}

/** An offset and the sums of eight channels. */
const SCRATCH_BYTES = 48;
