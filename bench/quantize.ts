import { quantize } from "./bitpress.js";
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
  const out = new Int8Array(elements);
  const [from, to] = [resident(x), resident(out)];
  const tensor = tf.tensor1d(x);
  return compare({
    kernel: `quantize to int8, 2^${Math.log2(elements)}`,
    elements,
    resident: () => quantize(from(), PARAMS, { out: to() }),
    plain: () => quantize(x, PARAMS, { out }),
    peers: [
      {
        name: "JS loop, same codes",
        run: [floatLoop, productLoop].map((loop) => () => loop(x, out, scale, zeroPoint, qmin, qmax)),
        floor: 10,
      },
      { name: "JS loop, other codes near ties", run: () => looseLoop(x, out, scale, zeroPoint, qmin, qmax) },
      {
        name: "tfjs wasm, 5 ops",
        run: dropping(() => tensor.div(scale).round().add(zeroPoint).clipByValue(qmin, qmax).toInt()),
        floor: 12,
      },
    ],
  });
}

async function measureChannels(layout: ChannelLayout): Promise<Row[]> {
  const params = channelParams(layout);
  const x = normalValues(layout.elements);
  const out = new Int8Array(layout.elements);
  const [from, to] = [resident(x), resident(out)];
  const { shape } = layout;
  return compare({
    kernel: `quantize, ${layout.name}`,
    elements: layout.elements,
    resident: () => quantize(from(), params, { shape, out: to() }),
    plain: () => quantize(x, params, { shape, out }),
    peers: [{ name: "JS loop, same codes", run: () => channelLoop(x, out, params, layout.inner) }],
  });
}

/** One float32 division per element. */
function floatLoop(
  x: Float32Array,
  out: Int8Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const divisor = Math.fround(scale);
  const lo = qmin | 0;
  const hi = qmax | 0;
  const back = MAGIC - zeroPoint;
  for (let i = 0; i < n; i++) {
    const code = (Math.fround(x[i] / divisor) + MAGIC - back) | 0;
    out[i] = code < lo ? lo : code > hi ? hi : code;
  }
}

/**
 * fl(x/scale) by a float64 product with 1/scale: that is off by 2^-52 at most, relatively, and no quotient of two float32
 * lies closer than 2^-49 to the middle of two float32.
 */
function productLoop(
  x: Float32Array,
  out: Int8Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin | 0;
  const hi = qmax | 0;
  const back = MAGIC - zeroPoint;
  for (let i = 0; i < n; i++) {
    const code = (Math.fround(x[i] * factor) + MAGIC - back) | 0;
    out[i] = code < lo ? lo : code > hi ? hi : code;
  }
}

/** Without the rounding to float32 that the definition asks for. */
function looseLoop(
  x: Float32Array,
  out: Int8Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin | 0;
  const hi = qmax | 0;
  const back = MAGIC - zeroPoint;
  for (let i = 0; i < n; i++) {
    const code = (x[i] * factor + MAGIC - back) | 0;
    out[i] = code < lo ? lo : code > hi ? hi : code;
  }
}

function channelLoop(
  x: Float32Array,
  out: Int8Array,
  { scale, zeroPoint, qmin, qmax }: ReturnType<typeof channelParams>,
  inner: number,
): void {
  const channels = scale.length;
  const factors = Float64Array.from(scale, (s) => 1 / s);
  const backs = Float64Array.from(zeroPoint, (z) => MAGIC - z);
  const n = x.length;
  const lo = qmin | 0;
  const hi = qmax | 0;
  for (let i = 0; i < n; ) {
    for (let c = 0; c < channels; c++) {
      const factor = factors[c];
      const back = backs[c];
      for (const end = i + inner; i < end; i++) {
        const code = (Math.fround(x[i] * factor) + MAGIC - back) | 0;
        out[i] = code < lo ? lo : code > hi ? hi : code;
      }
    }
  }
}
