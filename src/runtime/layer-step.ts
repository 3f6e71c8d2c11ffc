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
  readonly weights?: Int8Array | Int16Array | Int32Array | undefined;
  readonly blocks?: Int32Array | undefined;
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
 * How far a step reads from x and x2, and writes from y. Kernels read over the end of what they need, in whole registers and tiles; that
 * is in here, and nothing goes below x, x2 or y.
 */
export function stepExtent(step: LayerStep): StepExtent {
  return { reads2: 0, ...extentOf(step) };
}

/** The extent of a step; without reads2 where there is no second input. */
function extentOf({ kernel, numbers, taps, blocks }: LayerStep): Omit<StepExtent, "reads2"> & Partial<StepExtent> {
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
  /** Runs of elements at every pixel, `most` of them at a time where one is shorter. */
  const runs = (row: number, pixel: number, step: number, most: number): number =>
    overPixels(row, pixel, (step === 0 ? 0 : Math.max(n("run"), most) - 1) * step + 1);
  const written = (elementBytes: number): number =>
    overImages(n("yImageBytes"), overPixels(n("yRowBytes"), n("yPixelBytes"), n("run") * elementBytes));
  const tableOf = (from: number, count: number, width: number): number[][] =>
    Array.from({ length: count }, (_, i) => Array.from(taps?.subarray(from + i * width, from + (i + 1) * width) ?? []));
  const farthest = (entries: readonly number[][], end: (entry: readonly number[]) => number): number =>
    Math.max(...entries.map(end));
  const rows = (image: number, row: number): number => overImages(image, (n("rows") - 1) * row + n("columns"));
  switch (kernel) {
    case "copyRows":
      return {
        reads: rows(n("xImageBytes"), n("xRowBytes")),
        writes: rows(n("yImageBytes"), n("yRowBytes")),
      };
    case "fillRows":
      return { reads: 0, writes: rows(n("yImageBytes"), n("yRowBytes")) };
    case "conv2dDirect":
      return { reads: window(upTo(n("run"), 8)), writes: codes };
    case "matrixVector":
      return { reads: overImages(n("xImageBytes"), n("depth")), writes: codes };
    case "depthwiseConv2d":
      return { reads: window(blockEnd(blocks, BLOCK.inChannel) + 8), writes: codes };
    case "depthwise3x3":
      // Nine taps lie in three neighbouring columns and rows, and eight channels are there.
      return {
        reads: window(2 * (n("inRowBytes") + n("inChannels")) + n("inChannels")),
        writes: codes,
      };
    case "winograd2":
    case "winograd4": {
      const size = kernel === "winograd2" ? 2 : 4;
      const height = upTo(n("rows"), size) + 2;
      const width = upTo(n("columns"), size) + 2;
      const bytes = (height - 1) * n("inRowBytes") + (width - 1) * n("inChannels") + n("depth");
      return { reads: overImages(n("xImageBytes"), bytes), writes: codes };
    }
    case "copyStrided":
      return {
        reads: overImages(n("xImageBytes"), runs(n("xRowBytes"), n("xPixelBytes"), n("xStep"), 1)),
        writes: written(1),
      };
    case "addCodes":
    case "multiplyCodes":
    case "addTables":
      return {
        reads: overImages(n("xImageBytes"), runs(n("xRowBytes"), n("xPixelBytes"), n("xStep"), 8)),
        reads2: overImages(n("x2ImageBytes"), runs(n("x2RowBytes"), n("x2PixelBytes"), n("x2Step"), 8)),
        writes: written(1),
      };
    case "maxPool":
    case "averagePool":
    case "meanCodes": {
      const rows = farthest(tableOf(0, n("rows"), 2), ([from, lines]) => from + (lines - 1) * n("inRowBytes"));
      const columns = farthest(
        tableOf(2 * n("rows"), n("columns"), 2),
        ([from, pixels]) => from + (pixels - 1) * n("xPixelBytes"),
      );
      const channels = Math.max(n("run"), kernel === "maxPool" ? 16 : 8);
      return { reads: overImages(n("xImageBytes"), rows + columns + channels), writes: written(1) };
    }
    case "resizeNearest":
    case "resizeBilinear": {
      const width = kernel === "resizeNearest" ? 1 : 3;
      const head = kernel === "resizeNearest" ? 0 : 2;
      const offsets = (entry: readonly number[]): number => Math.max(...entry.slice(0, 2));
      const rows = farthest(tableOf(head, n("rows"), width), offsets);
      const columns = farthest(tableOf(head + width * n("rows"), n("columns"), width), offsets);
      const channels = kernel === "resizeNearest" ? n("run") : Math.max(n("run"), 8);
      return { reads: overImages(n("xImageBytes"), rows + columns + channels), writes: written(1) };
    }
    case "lookUpCodes":
    case "dequantizeF32":
      return {
        reads: overImages(n("xImageBytes"), runs(n("xRowBytes"), 0, 1, 1)),
        writes: written(kernel === "lookUpCodes" ? 1 : 4),
      };
    case "softmax":
      return {
        reads: overImages(n("xImageBytes"), runs(n("xRowBytes"), n("xPixelBytes"), 1, 1)),
        writes: written(1),
      };
    case "argMax":
      return {
        reads: overImages(n("xImageBytes"), runs(0, n("xPixelBytes"), n("xStep"), 1)),
        writes: overImages(n("yImageBytes"), 4 * n("columns")),
      };
    case "quantizeF32":
      return {
        reads: overImages(n("xImageBytes"), overPixels(n("xRowBytes"), 0, 4 * Math.max(n("run"), 8))),
        writes: written(1),
      };
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
