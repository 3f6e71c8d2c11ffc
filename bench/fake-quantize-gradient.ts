import { resolveParams } from "../src/core/quant-params.js";
import { straightThroughBounds } from "../src/wasm/fake-quantize-gradient.js";
import { fakeQuantizeGradient } from "./bitpress.js";
import { boundsOf } from "./bounds.js";
import { CHANNEL_LAYOUTS, type ChannelLayout, channelParams } from "./channel-layouts.js";
import { compare, type Row } from "./comparison.js";
import { gradientChannelLoop, gradientLoops } from "./loops/fake-quantize-gradient.js";
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
  const [x, dy] = [normalValues(ELEMENTS), normalValues(ELEMENTS, 2)];
  const out = new Float32Array(ELEMENTS);
  const [dyFrom, xFrom, to] = [resident(dy), resident(x), resident(out)];
  const [xTensor, dyTensor] = [tf.tensor1d(x), tf.tensor1d(dy)];
  const {
    lo: [lo],
    hi: [hi],
  } = straightThroughBounds(resolveParams("bench", PARAMS, ELEMENTS));
  return compare({
    kernel: "straight-through gradient",
    elements: ELEMENTS,
    resident: () => fakeQuantizeGradient(dyFrom(), xFrom(), PARAMS, { out: to() }),
    plain: () => fakeQuantizeGradient(dy, x, PARAMS, { out }),
    peers: [
      {
        name: "JS loop",
        run: gradientLoops.map((loop) => () => loop(dy, x, out, lo, hi)),
        floor: 12,
      },
      {
        name: "tfjs wasm, 5 ops",
        run: dropping(() => dyTensor.mul(xTensor.greaterEqual(lo).logicalAnd(xTensor.lessEqual(hi)).toFloat())),
        floor: 50,
      },
      ...boundsOf("fakeQuantizeGradient", ELEMENTS),
    ],
  });
}

async function measureChannels(layout: ChannelLayout): Promise<Row[]> {
  const params = channelParams(layout);
  const [x, dy] = [normalValues(layout.elements), normalValues(layout.elements, 2)];
  const out = new Float32Array(layout.elements);
  const [dyFrom, xFrom, to] = [resident(dy), resident(x), resident(out)];
  const { shape, inner } = layout;
  const { lo, hi } = straightThroughBounds(resolveParams("bench", params, layout.elements, { shape }));
  return compare({
    kernel: `straight-through, ${layout.name}`,
    elements: layout.elements,
    resident: () => fakeQuantizeGradient(dyFrom(), xFrom(), params, { shape, out: to() }),
    plain: () => fakeQuantizeGradient(dy, x, params, { shape, out }),
    peers: [{ name: "JS loop", run: () => gradientChannelLoop(dy, x, out, lo, hi, inner) }],
  });
}
