import { dequantize } from "./bitpress.js";
import { boundsOf } from "./bounds.js";
import { CHANNEL_LAYOUTS, type ChannelLayout, channelParams } from "./channel-layouts.js";
import { compare, type Row } from "./comparison.js";
import { dequantizeChannelLoop, dequantizeLoops } from "./loops/dequantize.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, evenCodes, MANY_ELEMENTS } from "./values.js";

const PARAMS = { scale: Math.fround(6 / 255), zeroPoint: 3, qmin: -128, qmax: 127 };

export default async function measure(): Promise<Row[]> {
  const rows = [...(await measureTensor(ELEMENTS)), ...(await measureTensor(MANY_ELEMENTS))];
  for (const layout of CHANNEL_LAYOUTS) rows.push(...(await measureChannels(layout)));
  return rows;
}

async function measureTensor(elements: number): Promise<Row[]> {
  const tf = await startTensorflow();
  const { scale, zeroPoint, qmin, qmax } = PARAMS;
  const q = evenCodes(elements, qmin, qmax);
  const out = new Float32Array(elements);
  const [from, to] = [resident(q), resident(out)];
  const tensor = tf.tensor1d(Int32Array.from(q), "int32");
  return compare({
    kernel: `dequantize from int8, 2^${Math.log2(elements)}`,
    elements,
    resident: () => dequantize(from(), PARAMS, { out: to() }),
    plain: () => dequantize(q, PARAMS, { out }),
    peers: [
      {
        name: "JS loop",
        run: dequantizeLoops.map((loop) => () => loop(q, out, scale, zeroPoint)),
        floor: 10,
      },
      {
        name: "tfjs wasm, 3 ops from int32",
        run: dropping(() => tensor.toFloat().sub(zeroPoint).mul(scale)),
        floor: 4,
      },
      ...boundsOf("dequantize", elements),
    ],
  });
}

async function measureChannels(layout: ChannelLayout): Promise<Row[]> {
  const params = channelParams(layout);
  const q = evenCodes(layout.elements, params.qmin, params.qmax);
  const out = new Float32Array(layout.elements);
  const [from, to] = [resident(q), resident(out)];
  const { shape } = layout;
  return compare({
    kernel: `dequantize, ${layout.name}`,
    elements: layout.elements,
    resident: () => dequantize(from(), params, { shape, out: to() }),
    plain: () => dequantize(q, params, { shape, out }),
    peers: [
      { name: "JS loop", run: () => dequantizeChannelLoop(q, out, params.scale, params.zeroPoint, layout.inner) },
    ],
  });
}
