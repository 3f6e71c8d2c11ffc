import { dequantize, fakeQuantize, fakeQuantizeGradient, minMax, quantize } from "./bitpress.js";
import { boundsFor } from "./bounds.js";
import { compare, type Peer, type Row } from "./comparison.js";
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
  const bounds = boundsFor(LARGE);
  const kernels: { name: string; run: () => unknown; bytes: number; bound: readonly Peer[] }[] = [
    { name: "quantize", run: () => quantize(x(), PARAMS, { out: codes() }), bytes: 5, bound: bounds.quantize },
    { name: "dequantize", run: () => dequantize(codes(), PARAMS, { out: out() }), bytes: 5, bound: bounds.dequantize },
    {
      name: "fake-quantize",
      run: () => fakeQuantize(x(), PARAMS, { out: out() }),
      bytes: 8,
      bound: bounds.fakeQuantize,
    },
    {
      name: "straight-through",
      run: () => fakeQuantizeGradient(dy(), x(), PARAMS, { out: out() }),
      bytes: 12,
      bound: bounds.gradient,
    },
    { name: "min/max", run: () => minMax(x()), bytes: 4, bound: bounds.minMax },
  ];
  const rows: Row[] = [];
  for (const { name, run, bytes, bound } of kernels) {
    rows.push(
      ...(await compare({
        kernel: `${name}, 64 MiB of float32`,
        elements: LARGE,
        rounds: 21,
        resident: run,
        peers: [{ name: "memory.copy of as many bytes", run: () => copy((bytes * LARGE) / 2), floor: 0.85 }, ...bound],
      })),
    );
  }
  return rows;
}
