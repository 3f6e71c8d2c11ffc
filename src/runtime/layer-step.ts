import { BLOCK, BLOCK_WORDS, type LayerKernel, type LayerNumbers } from "../wasm/layer-words.js";

/** A byte of a tensor: an address once tensors have their places. */
export interface TensorByte {
  readonly tensor: string;
  readonly offset: number;
}

/** One call of a kernel, before anything has an address. */
export interface LayerStep {
  /** Name of the node that it is a part of. */
  readonly node: string;
  readonly kernel: LayerKernel;
  readonly x: TensorByte;
  /** Of the second input, where there is one. */
  readonly x2?: TensorByte;
  readonly y: TensorByte;
  readonly numbers: LayerNumbers;
  readonly weights?: Int8Array | Int16Array;
  readonly blocks?: Int32Array;
  readonly taps?: Uint32Array;
  readonly scratchBytes: number;
  /** Products that the definition asks for. */
  readonly macs: number;
}

/** Bytes from the first that a step reads or writes to behind the last, counted from x, x2 or y, over all images. */
export interface StepExtent {
  readonly reads: number;
  /** From x2. */
  readonly reads2: number;
  readonly writes: number;
}

/**
 * How far a step reads from x and writes from y. Kernels read over the end of what they need, in whole registers and tiles; that is
 * in here, and nothing goes below x or y.
 */
export function stepExtent({ kernel, numbers, taps, blocks }: LayerStep): StepExtent {
  const n = (name: keyof LayerNumbers): number => numbers[name] ?? 0;
  const overImages = (step: number, bytes: number): number => (n("images") - 1) * step + bytes;
  const overPixels = (row: number, pixel: number, bytes: number): number =>
    (n("rows") - 1) * row + (n("columns") - 1) * pixel + bytes;
  const lastTap = taps === undefined ? 0 : Math.max(...taps);
  const window = (bytes: number): number =>
    overImages(n("xImageBytes"), overPixels(n("xRowBytes"), n("xPixelBytes"), lastTap + bytes));
  const codes = overImages(
    n("yImageBytes"),
    overPixels(n("yRowBytes"), n("yPixelBytes"), blockEnd(blocks, BLOCK.channel, BLOCK.count)),
  );
  const rows = (image: number, row: number): number => overImages(image, (n("rows") - 1) * row + n("columns"));
  switch (kernel) {
    case "copyRows":
      return {
        reads: rows(n("xImageBytes"), n("xRowBytes")),
        reads2: 0,
        writes: rows(n("yImageBytes"), n("yRowBytes")),
      };
    case "fillRows":
      return { reads: 0, reads2: 0, writes: rows(n("yImageBytes"), n("yRowBytes")) };
    case "addCodes":
      return {
        reads: rows(n("xImageBytes"), n("xRowBytes")),
        reads2: rows(n("x2ImageBytes"), n("x2RowBytes")),
        writes: rows(n("yImageBytes"), n("yRowBytes")),
      };
    case "conv2dDirect":
      return { reads: window(upTo(n("run"), 8)), reads2: 0, writes: codes };
    case "matrixVector":
      return { reads: overImages(n("xImageBytes"), n("depth")), reads2: 0, writes: codes };
    case "depthwiseConv2d":
      return { reads: window(blockEnd(blocks, BLOCK.inChannel) + 8), reads2: 0, writes: codes };
    case "depthwise3x3":
      // Nine taps lie in three neighbouring columns and rows, and eight channels are there.
      return {
        reads: window(2 * (n("inRowBytes") + n("inChannels")) + n("inChannels")),
        reads2: 0,
        writes: codes,
      };
    case "winograd2":
    case "winograd4": {
      const size = kernel === "winograd2" ? 2 : 4;
      const height = upTo(n("rows"), size) + 2;
      const width = upTo(n("columns"), size) + 2;
      const bytes = (height - 1) * n("inRowBytes") + (width - 1) * n("inChannels") + n("depth");
      return { reads: overImages(n("xImageBytes"), bytes), reads2: 0, writes: codes };
    }
  }
}

/** The largest sum of two (or one) of their words over all blocks. */
function blockEnd(blocks: Int32Array | undefined, first: number, second?: number): number {
  let end = 0;
  for (let at = 0; blocks !== undefined && at < blocks.length; at += BLOCK_WORDS) {
    end = Math.max(end, blocks[at + first] + (second === undefined ? 0 : blocks[at + second]));
  }
  return end;
}

/** The least multiple of `step` that is not below `size`. */
export function upTo(size: number, step: number): number {
  return Math.ceil(size / step) * step;
}
