import { fakeQuantize } from "./bitpress.js";
import { boundsOf } from "./bounds.js";
import { CHANNEL_LAYOUTS, type ChannelLayout, channelParams } from "./channel-layouts.js";
import { compare, type Row } from "./comparison.js";
import { fakeQuantizeChannelLoop, fakeQuantizeLoops } from "./loops/fake-quantize.js";
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
        run: fakeQuantizeLoops.map((loop) => () => loop(x, out, scale, zeroPoint, qmin, qmax)),
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
      ...boundsOf("fakeQuantize", elements),
    ],
  });
}

async function measureChannels(layout: ChannelLayout): Promise<Row[]> {
  const params = channelParams(layout);
  const x = normalValues(layout.elements);
  const out = new Float32Array(layout.elements);
  const [from, to] = [resident(x), resident(out)];
  const { shape, inner } = layout;
  const { scale, zeroPoint, qmin, qmax } = params;
  return compare({
    kernel: `fake-quantize, ${layout.name}`,
    elements: layout.elements,
    resident: () => fakeQuantize(from(), params, { shape, out: to() }),
    plain: () => fakeQuantize(x, params, { shape, out }),
    peers: [
      { name: "JS loop, same bits", run: () => fakeQuantizeChannelLoop(x, out, scale, zeroPoint, qmin, qmax, inner) },
    ],
  });
}
