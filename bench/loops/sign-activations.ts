// 1 where x ≥ 0, else −1, as JavaScript loops.

/** One way of taking signs. */
export type SignLoop = (x: Float32Array, out: Float32Array) => void;

function selectLoop(x: Float32Array, out: Float32Array): void {
  const n = x.length;
  for (let i = 0; i < n; i++) out[i] = x[i] >= 0 ? 1 : -1;
}

/** Ones, then the exceptions. out is not x. */
function eraseLoop(x: Float32Array, out: Float32Array): void {
  const n = x.length;
  out.fill(1);
  for (let i = 0; i < n; i++) if (!(x[i] >= 0)) out[i] = -1;
}

/** By arithmetic on the comparison's outcome. */
function arithmeticLoop(x: Float32Array, out: Float32Array): void {
  const n = x.length;
  for (let i = 0; i < n; i++) out[i] = 2 * Number(x[i] >= 0) - 1;
}

export const signLoops: readonly SignLoop[] = [selectLoop, eraseLoop, arithmeticLoop];
