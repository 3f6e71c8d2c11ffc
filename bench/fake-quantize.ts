import { fakeQuantize } from "./bitpress.js";
import { CHANNEL_LAYOUTS, type ChannelLayout, channelParams } from "./channel-layouts.js";
import { compare, type Row } from "./comparison.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, MANY_ELEMENTS, normalValues } from "./values.js";

const PARAMS = { scale: Math.fround(6 / 255), zeroPoint: 3, qmin: -128, qmax: 127 };
const MAGIC = 1.5 * 2 ** 52;

export default async function measure(): Promise<Row[]> {
  const rows = [...(await measureTensor(ELEMENTS)), ...(await measureTensor(MANY_ELEMENTS))];
  for (const layout of CHANNEL_LAYOUTS) rows.push(...(await measureChannels(layout)));
  return rows;
}

async function measureTensor(elements: number): Promise<Row[]> {
  const tf = await startTensorflow();
  const { scale, zeroPoint, qmin, qmax } = PARAMS;
  const x = normalValues(elements);
  const out = new Float32Array(elements);
  const [from, to] = [resident(x), resident(out)];
  const tensor = tf.tensor1d(x);
  return compare({
    kernel: `fake-quantize to 8 bits, 2^${Math.log2(elements)}`,
    elements,
    resident: () => fakeQuantize(from(), PARAMS, { out: to() }),
    plain: () => fakeQuantize(x, PARAMS, { out }),
    peers: [
      {
        name: "JS loop, same bits",
        run: [minMaxLoop, integerLoop, branchLoop].map((loop) => () => loop(x, out, scale, zeroPoint, qmin, qmax)),
        floor: 10,
      },
      {
        name: "tfjs wasm, 4 ops, no zero point",
        run: dropping(() => tensor.div(scale).clipByValue(qmin, qmax).round().mul(scale)),
        floor: 4,
      },
      {
        name: "tfjs wasm, 6 ops",
        run: dropping(() => tensor.div(scale).round().add(zeroPoint).clipByValue(qmin, qmax).sub(zeroPoint).mul(scale)),
        floor: 7,
      },
    ],
  });
}

async function measureChannels(layout: ChannelLayout): Promise<Row[]> {
  const params = channelParams(layout);
  const x = normalValues(layout.elements);
  const out = new Float32Array(layout.elements);
  const [from, to] = [resident(x), resident(out)];
  const { shape } = layout;
  return compare({
    kernel: `fake-quantize, ${layout.name}`,
    elements: layout.elements,
    resident: () => fakeQuantize(from(), params, { shape, out: to() }),
    plain: () => fakeQuantize(x, params, { shape, out }),
    peers: [{ name: "JS loop, same bits", run: () => channelLoop(x, out, params, layout.inner) }],
  });
}

// The float64 product with 1/scale, rounded to float32, is fl(x/scale): see quantize.ts.

function minMaxLoop(x: Float32Array, out: Float32Array, scale: number, zero: number, qmin: number, qmax: number): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin - zero;
  const hi = qmax - zero;
  for (let i = 0; i < n; i++) {
    out[i] = Math.max(lo, Math.min(hi, Math.fround(x[i] * factor) + MAGIC - MAGIC)) * scale;
  }
}

function integerLoop(
  x: Float32Array,
  out: Float32Array,
  scale: number,
  zero: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = (qmin - zero) | 0;
  const hi = (qmax - zero) | 0;
  for (let i = 0; i < n; i++) {
    const code = (Math.fround(x[i] * factor) + MAGIC - MAGIC) | 0;
    out[i] = (code < lo ? lo : code > hi ? hi : code) * scale;
  }
}

function branchLoop(x: Float32Array, out: Float32Array, scale: number, zero: number, qmin: number, qmax: number): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = (qmin - zero) * scale;
  const hi = (qmax - zero) * scale;
  for (let i = 0; i < n; i++) {
    let y = (Math.fround(x[i] * factor) + MAGIC - MAGIC) * scale;
    if (y < lo) y = lo;
    if (y > hi) y = hi;
    out[i] = y;
  }
}

function channelLoop(
  x: Float32Array,
  out: Float32Array,
  { scale, zeroPoint, qmin, qmax }: ReturnType<typeof channelParams>,
  inner: number,
): void {
  const channels = scale.length;
  const factors = Float64Array.from(scale, (s) => 1 / s);
  const n = x.length;
  for (let i = 0; i < n; ) {
    for (let c = 0; c < channels; c++) {
      const s = scale[c];
      const factor = factors[c];
      const lo = qmin - zeroPoint[c];
      const hi = qmax - zeroPoint[c];
      for (const end = i + inner; i < end; i++) {
        out[i] = Math.max(lo, Math.min(hi, Math.fround(x[i] * factor) + MAGIC - MAGIC)) * s;
      }
    }
  }
}
