/** One code for each code: entry q + 128 is the code of q. */
export type CodeTable = Int8Array;

/** Meaning of a tensor's codes: x = (code − zeroPoint) · scale. */
interface CodeParams {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The codes on both sides of a table. */
export interface CodeMap {
  readonly input: CodeParams;
  readonly output: CodeParams & { readonly qmin?: number };
}

/** The table of a function of codes; its values are clamped to [qmin, qmax]. */
export function codeTable(codeOf: (q: number) => number, qmin = -128, qmax = 127): CodeTable {
  return Int8Array.from({ length: 256 }, (_, i) => Math.max(qmin, Math.min(qmax, codeOf(i - 128))));
}

/** out[i] = table[x[i] + 128]; x and out of one length, out written, may be x itself. */
export function lookUpCodes(x: Int8Array, table: CodeTable, out: Int8Array): void {
  for (let i = 0; i < x.length; i++) out[i] = table[x[i] + 128];
}
