import { fakeQuantizeGradient } from "./bitpress.js";
import { CHANNEL_LAYOUTS, type ChannelLayout, channelParams } from "./channel-layouts.js";
import { compare, type Row } from "./comparison.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, normalValues } from "./values.js";

/** A range that cuts one value in twenty off. */
const PARAMS = { scale: Math.fround(4 / 255), zeroPoint: 3, qmin: -128, qmax: 127 };

export default async function measure(): Promise<Row[]> {
  const rows = await measureTensor();
  for (const layout of CHANNEL_LAYOUTS) rows.push(...(await measureChannels(layout)));
  return rows;
}

async function measureTensor(): Promise<Row[]> {
  const tf = await startTensorflow();
  const { scale, zeroPoint, qmin, qmax } = PARAMS;
  const [x, dy] = [normalValues(ELEMENTS), normalValues(ELEMENTS, 2)];
  const out = new Float32Array(ELEMENTS);
  const [dyFrom, xFrom, to] = [resident(dy), resident(x), resident(out)];
  const [xTensor, dyTensor] = [tf.tensor1d(x), tf.tensor1d(dy)];
  const [lo, hi] = [(qmin - zeroPoint - 0.5) * scale, (qmax - zeroPoint + 0.5) * scale];
  return compare({
    kernel: "straight-through gradient",
    elements: ELEMENTS,
    resident: () => fakeQuantizeGradient(dyFrom(), xFrom(), PARAMS, { out: to() }),
    plain: () => fakeQuantizeGradient(dy, x, PARAMS, { out }),
    peers: [
      {
        name: "JS loop",
        run: [valueLoop, branchLoop, eraseLoop].map((loop) => () => loop(dy, x, out, lo, hi)),
        floor: 12,
      },
      {
        name: "tfjs wasm, 5 ops",
        run: dropping(() => dyTensor.mul(xTensor.greaterEqual(lo).logicalAnd(xTensor.lessEqual(hi)).toFloat())),
        floor: 50,
      },
    ],
  });
}

async function measureChannels(layout: ChannelLayout): Promise<Row[]> {
  const params = channelParams(layout);
  const [x, dy] = [normalValues(layout.elements), normalValues(layout.elements, 2)];
  const out = new Float32Array(layout.elements);
  const [dyFrom, xFrom, to] = [resident(dy), resident(x), resident(out)];
  const { shape } = layout;
  return compare({
    kernel: `straight-through, ${layout.name}`,
    elements: layout.elements,
    resident: () => fakeQuantizeGradient(dyFrom(), xFrom(), params, { shape, out: to() }),
    plain: () => fakeQuantizeGradient(dy, x, params, { shape, out }),
    peers: [{ name: "JS loop", run: () => channelLoop(dy, x, out, params, layout.inner) }],
  });
}

function valueLoop(dy: Float32Array, x: Float32Array, out: Float32Array, lo: number, hi: number): void {
  const n = x.length;
  for (let i = 0; i < n; i++) out[i] = x[i] >= lo && x[i] <= hi ? dy[i] : 0;
}

function branchLoop(dy: Float32Array, x: Float32Array, out: Float32Array, lo: number, hi: number): void {
  const n = x.length;
  for (let i = 0; i < n; i++) {
    const value = x[i];
    if (value >= lo && value <= hi) out[i] = dy[i];
    else out[i] = 0;
  }
}

/** Copies everything, then erases what lies outside. */
function eraseLoop(dy: Float32Array, x: Float32Array, out: Float32Array, lo: number, hi: number): void {
  const n = x.length;
  out.set(dy);
  for (let i = 0; i < n; i++) {
    const value = x[i];
    if (value < lo || value > hi) out[i] = 0;
  }
}

function channelLoop(
  dy: Float32Array,
  x: Float32Array,
  out: Float32Array,
  { scale, zeroPoint, qmin, qmax }: ReturnType<typeof channelParams>,
  inner: number,
): void {
  const channels = scale.length;
  const n = x.length;
  for (let i = 0; i < n; ) {
    for (let c = 0; c < channels; c++) {
      const lo = (qmin - zeroPoint[c] - 0.5) * scale[c];
      const hi = (qmax - zeroPoint[c] + 0.5) * scale[c];
      for (const end = i + inner; i < end; i++) out[i] = x[i] >= lo && x[i] <= hi ? dy[i] : 0;
    }
  }
}
