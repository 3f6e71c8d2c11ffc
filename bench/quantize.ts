import { quantize } from "./bitpress.js";
import { boundsOf } from "./bounds.js";
import { CHANNEL_LAYOUTS, type ChannelLayout, channelParams } from "./channel-layouts.js";
import { compare, type Row } from "./comparison.js";
import { looseQuantizeLoop, quantizeChannelLoop, quantizeLoops } from "./loops/quantize.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, MANY_ELEMENTS, normalValues } from "./values.js";

const PARAMS = { scale: Math.fround(6 / 255), zeroPoint: 3, qmin: -128, qmax: 127 };

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
        run: quantizeLoops.map((loop) => () => loop(x, out, scale, zeroPoint, qmin, qmax)),
        floor: 10,
      },
      { name: "JS loop, other codes near ties", run: () => looseQuantizeLoop(x, out, scale, zeroPoint, qmin, qmax) },
      {
        name: "tfjs wasm, 5 ops",
        run: dropping(() => tensor.div(scale).round().add(zeroPoint).clipByValue(qmin, qmax).toInt()),
        floor: 12,
      },
      ...boundsOf("quantize", elements),
    ],
  });
}

async function measureChannels(layout: ChannelLayout): Promise<Row[]> {
  const params = channelParams(layout);
  const x = normalValues(layout.elements);
  const out = new Int8Array(layout.elements);
  const [from, to] = [resident(x), resident(out)];
  const { shape, inner } = layout;
  const { scale, zeroPoint, qmin, qmax } = params;
  return compare({
    kernel: `quantize, ${layout.name}`,
    elements: layout.elements,
    resident: () => quantize(from(), params, { shape, out: to() }),
    plain: () => quantize(x, params, { shape, out }),
    peers: [
      { name: "JS loop, same codes", run: () => quantizeChannelLoop(x, out, scale, zeroPoint, qmin, qmax, inner) },
    ],
  });
}
