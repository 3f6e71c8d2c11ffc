import { roundTiesToEven } from "../../src/reference/rounding.js";

/**
 * The gradient quantizer of NNI v3 for intN or uintN, as it is: its grid reaches from −0.5/n to 1 + 0.5/n, n = 2^N − 1, in
 * qmax − qmin steps, where qmin = 1 − 2^(N−1), qmax = 2^(N−1) − 1 for intN, and 0, n for uintN.
 *
 * @param dr one element
 * @param m the largest magnitude of its sample
 * @param sigma the noise in [−½, ½]: one draw per sample in NNI
 */
export function nniGradient(dr: number, m: number, bits: number, signed: boolean, sigma: number): number {
  const n = 2 ** bits - 1;
  const [qmin, qmax] = signed ? [1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1] : [0, n];
  const scale = (1 + 1 / n) / (qmax - qmin);
  const zeroPoint = Math.min(qmax, Math.max(qmin, qmin - roundTiesToEven(-0.5 / n / scale)));
  const v = dr / (2 * m) + 0.5 + sigma / n;
  const code = roundTiesToEven(Math.min(qmax, Math.max(qmin, zeroPoint + v / scale)));
  return ((code - zeroPoint) * scale - 0.5) * 2 * m;
}
