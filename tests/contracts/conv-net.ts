import type { QATTraining, StateDict } from "../../src/index.js";

// The other net of NNI's life-cycle vectors, by the caller's own loops, in PyTorch's layouts (NCHW, OIHW): Conv2d(2, 3, 3) –
// BatchNorm2d(3) – ReLU – flatten – Linear(12, 2) on images 4 × 4, loss mean((y − target)²), plain SGD. Batch norm stays float.

const [IN, OUT, SIDE, KERNEL, PLACES, UNITS] = [2, 3, 4, 3, 4, 2];
const EPSILON = 1e-5;

/** One training step; changes the state dict in place. Gives the outputs, the loss and the gradients of the two weights. */
export function convNetStep(
  qat: QATTraining,
  state: StateDict,
  { x, target, lr }: { readonly x: Float32Array; readonly target: Float32Array; readonly lr: number },
) {
  const { conv, fc } = qat.layers;
  const rows = x.length / (IN * SIDE * SIDE);
  const features = OUT * PLACES;
  const w = conv.weight();
  const z = new Float32Array(rows * features);
  eachProduct(rows, (out, from, weight) => {
    z[out] += x[from] * w[weight];
  });
  addPerChannel(z, conv.bias());
  const norm = normalize(z, rows);
  const [gamma, beta] = [state["bn.weight"].data, state["bn.bias"].data];
  const relu = norm.xHat.map((value, i) => Math.max(0, value * gamma[channelOf(i)] + beta[channelOf(i)]));
  const wFc = fc.weight();
  const bFc = fc.bias();
  const y = Float32Array.from({ length: rows * UNITS }, (_, at) => {
    const [n, o] = [Math.floor(at / UNITS), at % UNITS];
    let sum = bFc[o];
    for (let i = 0; i < features; i++) sum += relu[n * features + i] * wFc[o * features + i];
    return sum;
  });
  const errors = y.map((value, i) => value - target[i]);
  const loss = errors.reduce((sum, error) => sum + error * error, 0) / y.length;

  const dy = errors.map((error) => (2 * error) / y.length);
  const dwFc = new Float32Array(wFc.length);
  const dRelu = new Float32Array(relu.length);
  const dbFc = new Float32Array(UNITS);
  dy.forEach((value, at) => {
    const [n, o] = [Math.floor(at / UNITS), at % UNITS];
    dbFc[o] += value;
    for (let i = 0; i < features; i++) {
      dwFc[o * features + i] += value * relu[n * features + i];
      dRelu[n * features + i] += value * wFc[o * features + i];
    }
  });
  const dNorm = dRelu.map((value, i) => (relu[i] > 0 ? value : 0));
  const [dGamma, dBeta, dz] = normalizeGradient(dNorm, norm, gamma, rows);
  const dw = new Float32Array(w.length);
  eachProduct(rows, (out, from, weight) => {
    dw[weight] += dz[out] * x[from];
  });
  const db = new Float32Array(OUT);
  dz.forEach((value, i) => {
    db[channelOf(i)] += value;
  });
  const weightGradients = { conv: conv.weightGradient(dw), fc: fc.weightGradient(dwFc) };
  for (const [name, gradient] of [
    ["conv.weight", weightGradients.conv],
    ["conv.bias", db],
    ["bn.weight", dGamma],
    ["bn.bias", dBeta],
    ["fc.weight", weightGradients.fc],
    ["fc.bias", dbFc],
  ] as const) {
    const { data } = state[name];
    for (let i = 0; i < data.length; i++) data[i] -= lr * gradient[i];
  }
  qat.step();
  return { y, loss, weightGradients };
}

/** Channel of element i of what the convolution gives, [rows, OUT, 2, 2]. */
const channelOf = (i: number): number => Math.floor(i / PLACES) % OUT;

function addPerChannel(z: Float32Array, bias: Float32Array): void {
  for (let i = 0; i < z.length; i++) z[i] += bias[channelOf(i)];
}

/** Calls `take` with the indices of output, input and weight for every product of the convolution. */
function eachProduct(rows: number, take: (out: number, from: number, weight: number) => void): void {
  const side = SIDE - KERNEL + 1;
  for (let out = 0; out < rows * OUT * PLACES; out++) {
    const n = Math.floor(out / (OUT * PLACES));
    const [r, q] = [Math.floor((out % PLACES) / side), out % side];
    for (let tap = 0; tap < IN * KERNEL * KERNEL; tap++) {
      const c = Math.floor(tap / (KERNEL * KERNEL));
      const [i, j] = [Math.floor(tap / KERNEL) % KERNEL, tap % KERNEL];
      const from = ((n * IN + c) * SIDE + r + i) * SIDE + q + j;
      take(out, from, channelOf(out) * IN * KERNEL * KERNEL + tap);
    }
  }
}

/** (z − mean) / σ over each channel of the batch. */
function normalize(z: Float32Array, rows: number) {
  const count = rows * PLACES;
  const mean = new Float64Array(OUT);
  const variance = new Float64Array(OUT);
  z.forEach((value, i) => {
    mean[channelOf(i)] += value / count;
  });
  z.forEach((value, i) => {
    variance[channelOf(i)] += (value - mean[channelOf(i)]) ** 2 / count;
  });
  const sigma = variance.map((value) => Math.sqrt(value + EPSILON));
  return { sigma, xHat: z.map((value, i) => (value - mean[channelOf(i)]) / sigma[channelOf(i)]) };
}

function normalizeGradient(
  dy: Float32Array,
  { sigma, xHat }: ReturnType<typeof normalize>,
  gamma: Float32Array,
  rows: number,
): [Float32Array, Float32Array, Float32Array] {
  const count = rows * PLACES;
  const [dGamma, dBeta] = [new Float32Array(OUT), new Float32Array(OUT)];
  dy.forEach((value, i) => {
    dGamma[channelOf(i)] += value * xHat[i];
    dBeta[channelOf(i)] += value;
  });
  const dz = dy.map((value, i) => {
    const c = channelOf(i);
    return (gamma[c] / sigma[c]) * (value - dBeta[c] / count - (xHat[i] * dGamma[c]) / count);
  });
  return [dGamma, dBeta, dz];
}
