/** The integer grid: every code is an integer in [qmin, qmax]. */
export interface Grid {
  readonly qmin: number;
  readonly qmax: number;
}

/** What describes a grid in words. */
export interface GridOptions {
  /** 1…16. */
  readonly bits: number;
  /** Codes around zero (int8) or from zero (uint8). Default true. */
  readonly signed?: boolean;
  /** Signed only: leave out the lowest code, so that the grid is symmetric ([−127, 127]). Default false. */
  readonly narrowRange?: boolean;
  /** Zero point fixed at the middle, instead of fitted to the range. Default false. */
  readonly symmetric?: boolean;
}

/** Typed array of codes, of the narrowest type that holds its grid. */
export type Codes = Int8Array | Uint8Array | Int16Array | Uint16Array;

/**
 * The grid of `bits`: signed [−2^(bits−1), 2^(bits−1) − 1], one code less below when narrow; unsigned [0, 2^bits − 1].
 *
 * Throws RangeError for bits outside 1…16, and for a narrow or symmetric signed grid of 1 bit (it would hold only zero).
 */
export function gridOf(where: string, options: GridOptions): Grid {
  const { bits, signed = true, narrowRange = false, symmetric = false } = options;
  if (!Number.isInteger(bits) || bits < 1 || bits > 16) {
    throw new RangeError(`${where}: expected bits in 1…16, got ${String(bits)}`);
  }
  if (!signed) {
    if (narrowRange) throw new RangeError(`${where}: expected narrowRange only on a signed grid, got an unsigned one`);
    return { qmin: 0, qmax: 2 ** bits - 1 };
  }
  if (bits === 1 && (narrowRange || symmetric)) {
    throw new RangeError(
      `${where}: expected bits ≥ 2 for a narrow or symmetric signed grid, got 1; 1-bit weights are DoReFa's`,
    );
  }
  return { qmin: -(2 ** (bits - 1)) + (narrowRange ? 1 : 0), qmax: 2 ** (bits - 1) - 1 };
}

/** Checks that qmin < qmax are integers of a grid of at most 16 bits; throws RangeError. */
export function checkGrid(where: string, { qmin, qmax }: Grid): void {
  const whole = Number.isInteger(qmin) && Number.isInteger(qmax);
  const held = (qmin >= -32768 && qmax <= 32767) || (qmin >= 0 && qmax <= 65535);
  if (!whole || qmin >= qmax || !held) {
    throw new RangeError(
      `${where}: expected integers qmin < qmax within [-32768, 32767] or [0, 65535], got ${qmin} and ${qmax}`,
    );
  }
}

type CodesConstructor = Int8ArrayConstructor | Uint8ArrayConstructor | Int16ArrayConstructor | Uint16ArrayConstructor;

/** The narrowest type that holds the grid. */
export function codesTypeOf({ qmin, qmax }: Grid): CodesConstructor {
  if (qmin < 0) return qmin >= -128 && qmax <= 127 ? Int8Array : Int16Array;
  return qmax <= 255 ? Uint8Array : Uint16Array;
}

/** A fresh array of the narrowest type that holds the grid. */
export function codesFor(grid: Grid, length: number): Codes {
  return new (codesTypeOf(grid))(length);
}

/** The fewest bits that tell the grid's codes apart: 8 for [−127, 127]. */
export function bitsOf({ qmin, qmax }: Grid): number {
  return Math.ceil(Math.log2(qmax - qmin + 1));
}
