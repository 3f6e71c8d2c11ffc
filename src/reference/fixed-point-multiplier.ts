/** M = multiplier · 2^(−31 − shift). */
export interface FixedPointMultiplier {
  /** Q0.31: 0, or 2^30 ≤ multiplier < 2^31. */
  readonly multiplier: number;
  /** −8…31, right when positive. */
  readonly shift: number;
}

/** The largest left shift: M < 2^8. */
const SMALLEST_SHIFT = -8;
/** The largest right shift: below 2^−32 no int32 times M reaches one half. */
const LARGEST_SHIFT = 31;

const WORDS = new DataView(new ArrayBuffer(8));

/**
 * A positive real number as an integer mantissa and a shift.
 *
 *     M = f · 2^e, ½ ≤ f < 1;   multiplier = round-half-away(f · 2^31), halved where that is 2^31;   shift = −e
 *
 * M < 2^−32 gives 0 with shift 0. Errors: RangeError for M ≥ 2^8 (as rounded), M < 0 and NaN.
 * Source: TensorFlow Lite, QuantizeMultiplier.
 */
export function fixedPointMultiplier(where: string, M: number): FixedPointMultiplier {
  if (M >= 0 && M < 2 ** -(LARGEST_SHIFT + 1)) return { multiplier: 0, shift: 0 };
  if (M >= 0 && M < 2 ** -SMALLEST_SHIFT) {
    const exact = shiftOf(M);
    // f · 2^31 is positive, where Math.round sends halves up: away from zero.
    const rounded = Math.round(M * 2 ** (31 + exact));
    const [multiplier, shift] = rounded === 2 ** 31 ? [2 ** 30, exact - 1] : [rounded, exact];
    if (shift >= SMALLEST_SHIFT) return { multiplier, shift };
  }
  throw new RangeError(`${where}: expected a multiplier in [0, 256), got ${M}; the scales do not fit each other`);
}

/** −e of M = f · 2^e with ½ ≤ f < 1; M is a normal float64. */
function shiftOf(M: number): number {
  WORDS.setFloat64(0, M);
  return 1022 - ((WORDS.getUint16(0) >> 4) & 0x7ff);
}
