import { dequantize, fakeQuantize, fakeQuantizeGradient, minMax, quantize } from "./bitpress.js";
import { type Bounded, boundsOf } from "./bounds.js";
import { compare, type Row } from "./comparison.js";
import { memoryCopy } from "./memory-copy.js";
import { resident } from "./resident.js";
import { ELEMENTS, normalValues } from "./values.js";

/** 64 MiB of float32, beyond any cache. */
const LARGE = 2 ** 24;
const PARAMS = { scale: Math.fround(6 / 255), zeroPoint: 3, qmin: -128, qmax: 127 };

/**
 * Kernels over arrays that no cache holds, against a memory.copy that moves as many bytes.
 *
 * The ratio is the share of memory.copy's bandwidth: a kernel that reads and writes b bytes in all stands against a copy of
 * b/2 bytes.
 */
export default async function measure(): Promise<Row[]> {
  const values = new Float32Array(LARGE);
  const pattern = normalValues(ELEMENTS);
  for (let at = 0; at < LARGE; at += ELEMENTS) values.set(pattern, at);
  const [x, dy, out] = [resident(values), resident(values), resident(new Float32Array(LARGE))];
  const codes = resident(new Int8Array(LARGE));
  const copy = memoryCopy();
  const kernels: { name: string; run: () => unknown; bytes: number; bounded: Bounded }[] = [
    { name: "quantize", run: () => quantize(x(), PARAMS, { out: codes() }), bytes: 5, bounded: "quantize" },
    { name: "dequantize", run: () => dequantize(codes(), PARAMS, { out: out() }), bytes: 5, bounded: "dequantize" },
    {
      name: "fake-quantize",
      run: () => fakeQuantize(x(), PARAMS, { out: out() }),
      bytes: 8,
      bounded: "fakeQuantize",
    },
    {
      name: "straight-through",
      run: () => fakeQuantizeGradient(dy(), x(), PARAMS, { out: out() }),
      bytes: 12,
      bounded: "fakeQuantizeGradient",
    },
    { name: "min/max", run: () => minMax(x()), bytes: 4, bounded: "minMax" },
  ];
  const rows: Row[] = [];
  for (const { name, run, bytes, bounded } of kernels) {
    rows.push(
      ...(await compare({
        kernel: `${name}, 64 MiB of float32`,
        elements: LARGE,
        rounds: 21,
        resident: run,
        peers: [
          { name: "memory.copy of as many bytes", run: () => copy((bytes * LARGE) / 2), floor: 0.85 },
          ...boundsOf(bounded, LARGE),
        ],
      })),
    );
  }
  return rows;
}
