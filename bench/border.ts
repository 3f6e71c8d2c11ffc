import { fakeQuantize, minMax, quantize } from "./bitpress.js";
import { compare, type Row } from "./comparison.js";
import { fakeQuantizeLoops } from "./loops/fake-quantize.js";
import { resident } from "./resident.js";
import { normalValues } from "./values.js";

const PARAMS = { scale: Math.fround(6 / 255), zeroPoint: 3, qmin: -128, qmax: 127 };

/** What a call costs by itself: small arrays, in linear memory and outside, in microseconds per call. */
export default async function measure(): Promise<Row[]> {
  const { scale, zeroPoint, qmin, qmax } = PARAMS;
  const rows: Row[] = [];
  for (const length of [16, 256, 4096]) {
    const x = normalValues(length);
    const out = new Float32Array(length);
    const codes = new Int8Array(length);
    const [from, to, codesTo] = [resident(x), resident(out), resident(codes)];
    const peers = [
      {
        name: "JS loop, fake-quantize",
        run: fakeQuantizeLoops.map((loop) => () => loop(x, out, scale, zeroPoint, qmin, qmax)),
      },
    ];
    rows.push(
      ...(await compare({
        kernel: `quantize ${length} elements, per call`,
        resident: () => quantize(from(), PARAMS, { out: codesTo() }),
        plain: () => quantize(x, PARAMS, { out: codes }),
        peers,
      })),
      ...(await compare({
        kernel: `fake-quantize ${length} elements, per call`,
        resident: () => fakeQuantize(from(), PARAMS, { out: to() }),
        plain: () => fakeQuantize(x, PARAMS, { out }),
        peers,
      })),
      ...(await compare({
        kernel: `min/max of ${length} elements, per call`,
        resident: () => minMax(from()),
        plain: () => minMax(x),
        peers,
      })),
    );
  }
  return rows;
}
