/** What stands for a value that is unknown or has no meaning. */
export const NONE = "–";

/** A number with three digits: 0.00123, 1.2e-7, 127. */
export function formatNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : String(Number(value.toPrecision(3)));
}

/** An SQNR: `43.1 dB`, or `exact` when nothing is lost. */
export function formatSqnr(decibels: number | undefined): string {
  if (decibels === undefined) return NONE;
  return decibels === Number.POSITIVE_INFINITY ? "exact" : `${decibels.toFixed(1)} dB`;
}

/** JSON has no Infinity: null stands for it. */
export function sqnrAsJson(decibels: number): number | null {
  return Number.isFinite(decibels) ? decibels : null;
}
