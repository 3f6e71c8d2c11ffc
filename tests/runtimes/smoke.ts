// The one smoke file: the same calls with the same expected bytes on every host. With the files beside it
// it imports nothing but the package, by its name, and uses nothing but the language, so that any host can run it.
import {
  backend,
  createSession,
  dequantize,
  dorefaActivations,
  dorefaActivationsGradient,
  dorefaGradients,
  dorefaWeights,
  dorefaWeightsGradient,
  fakeQuantize,
  fakeQuantizeGradient,
  foldBatchNorm,
  histogramObserver,
  minMax,
  packBits,
  QuantError,
  quantize,
  residentArray,
  signActivations,
  signActivationsGradient,
  unpackBits,
  writeTflite,
} from "bitpress";
import { type Check, pseudoRandom, reportOf, type SmokeReport } from "./smoke-check.js";
import { checkSession, classesOf, smokeGraph } from "./smoke-session.js";

export type { SmokeReport } from "./smoke-check.js";

/** Runs all checks with the implementation that is loaded. */
export function smoke(): SmokeReport {
  return reportOf(backend, (check) => {
    checkLiterals(check);
    checkLarge(check);
    checkResident(check);
    checkDorefa(check);
    checkObservers(check);
    checkSession(check, createSession, "bitpress");
    checkTflite(check);
  });
}

/** Small arrays, every byte written out. */
function checkLiterals(check: Check): void {
  // x/scale is −∞, NaN, −2.5, −1.5, −0.5, 0.5, 1.5, 2.5, 4, ∞: ties to even, then the zero point, then the clamp.
  const x = Float32Array.of(-Infinity, NaN, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 2, Infinity);
  const int4 = { scale: 0.5, zeroPoint: 1, qmin: -8, qmax: 7 };
  check("quantize int4", quantize(x, int4), "Int8Array f801ffff010103030507");
  check(
    "quantize uint8",
    quantize(x, { scale: 0.5, zeroPoint: 128, qmin: 0, qmax: 255 }),
    "Uint8Array 00807e7e8080828284ff",
  );
  check(
    "quantize int16",
    quantize(x, { scale: 0.5, zeroPoint: 0, qmin: -32768, qmax: 32767 }),
    "Int16Array 00800000fefffeff00000000020002000400ff7f",
  );
  // Twice the vector width and a tail, the same ten codes over and over.
  const repeated = new Float32Array(43).map((_, i) => x[i % 10]);
  check("quantize 43 elements", quantize(repeated, int4), `Int8Array ${"f801ffff010103030507".repeat(4)}f801ff`);

  const channels = {
    scale: Float32Array.of(0.5, 0.25, 2),
    zeroPoint: Int32Array.of(0, -1, 3),
    qmin: -128,
    qmax: 127,
    axis: -1,
  };
  const shape = [2, 3];
  check(
    "quantize per channel",
    quantize(Float32Array.of(1, 1, 1, -3, -3, -3), channels, { shape }),
    "Int8Array 020303faf301",
  );
  check(
    "dequantize per channel",
    dequantize(Int8Array.of(2, 3, 3, -6, -13, 1), channels, { shape }),
    "Float32Array 0000803f0000803f00000000000040c0000040c0000080c0",
  );
  check("dequantize int4", dequantize(Int8Array.of(-8, 1, 7), int4), "Float32Array 000090c00000000000004040");
  check(
    "fakeQuantize",
    fakeQuantize(Float32Array.of(-9, 0.3, 0.75, 9), int4),
    "Float32Array 000090c00000003f0000803f00004040",
  );
  // The range is [-4.5, 3], ends included.
  check(
    "fakeQuantizeGradient",
    fakeQuantizeGradient(Float32Array.of(1, 2, 3, 4), Float32Array.of(-9, -4.5, 3, 9), int4),
    "Float32Array 00000000000000400000404000000000",
  );
  const range = minMax(Float32Array.of(1, -2, 3, 4, -0, 0), { shape: [3, 2], axis: 1 });
  check("minMax min", range.min, "Float32Array 00000000000000c0");
  check("minMax max", range.max, "Float32Array 0000404000008040");
  check("packBits 4", packBits(Int8Array.of(1, -2, 7), 4), "Uint8Array e107");
  check("packBits 2", packBits(Uint8Array.of(1, 2, 3, 0, 2), 2), "Uint8Array 3902");
  check("packBits 1", packBits(Uint8Array.of(1, 0, 1, 1, 0, 0, 0, 1, 1), 1), "Uint8Array 8d01");
  check("unpackBits", unpackBits(Uint8Array.of(0xe1, 0x07), 4, { length: 3, signed: true }), "Int8Array 01fe07");
  const folded = foldBatchNorm(
    {
      weights: Float32Array.of(1, 2, -3, 4),
      bias: Float32Array.of(1, 0),
      gamma: Float32Array.of(1, 3),
      beta: Float32Array.of(0, 10),
      mean: Float32Array.of(0, 1),
      variance: Float32Array.of(3, 8),
      epsilon: 1,
    },
    { shape: [2, 2], axis: 1 },
  );
  // k = [1/2, 3 · fl(1/3)] = [0.5, 1]
  check("foldBatchNorm weights", folded.weights, "Float32Array 0000003f000000400000c0bf00008040");
  check("foldBatchNorm bias", folded.bias, "Float32Array 0000003f00001041");
  check(
    "error",
    errorOf(() => minMax(Float32Array.of(1, NaN))),
    "QuantError non-finite minMax: expected finite values, got NaN at index 1",
  );
}

/** A million elements, more than one trip through linear memory: hashes of all bytes. */
function checkLarge(check: Check): void {
  const x = pseudoRandom(1 << 20);
  const shape = [1 << 15, 32];
  const params = { scale: 0.023, zeroPoint: -3, qmin: -128, qmax: 127 };
  const perChannel = {
    scale: new Float32Array(32).map((_, i) => 0.01 + i / 1000),
    zeroPoint: new Int32Array(32).map((_, i) => i - 16),
    qmin: -128,
    qmax: 127,
    axis: 1,
  };
  const codes = quantize(x, params);
  check("quantize 1 M", codes, "Int8Array[1048576] fnv1a 3bb958a4");
  check("quantize 1 M per channel", quantize(x, perChannel, { shape }), "Int8Array[1048576] fnv1a 4ca084fd");
  check("dequantize 1 M", dequantize(codes, params), "Float32Array[1048576] fnv1a 4e581abe");
  check("fakeQuantize 1 M per channel", fakeQuantize(x, perChannel, { shape }), "Float32Array[1048576] fnv1a 3ed2b197");
  const range = minMax(x);
  check("minMax 1 M min", range.min, "Float32Array d9ff3fc0");
  check("minMax 1 M max", range.max, "Float32Array e4ff3f40");
  const bits = quantize(x, { scale: 1, zeroPoint: 2, qmin: 0, qmax: 3 }) as Uint8Array;
  check("packBits 1 M", packBits(bits, 2), "Uint8Array[262144] fnv1a 810213bd");
}

/** An array in the library's own memory, used in place, that survives the memory's growth. */
function checkResident(check: Check): void {
  const x = residentArray("float32", 100_000);
  const codes = residentArray("int8", 100_000);
  const params = { scale: 0.023, zeroPoint: -3, qmin: -128, qmax: 127 };
  x.array.set(pseudoRandom(100_000));
  const large = residentArray("float32", 1 << 22);
  quantize(x.array, params, { out: codes.array });
  check("residentArray quantize", codes.array, "Int8Array[100000] fnv1a 35fb97a7");
  fakeQuantize(x.array, params, { out: x.array });
  check("residentArray fakeQuantize in place", x.array, "Float32Array[100000] fnv1a 70e72774");
  for (const array of [x, codes, large]) array.dispose();
}

/** Ranges chosen in float64: the same candidate wins everywhere. */
function checkObservers(check: Check): void {
  const x = pseudoRandom(100_000).map((value) => value * value * value);
  for (const [options, expected] of [
    [{ method: "percentile", percentile: 99 }, "Float32Array 0080d1c100c0d141"],
    [{ method: "mse" }, "Float32Array 00e0bdc135fdd741"],
  ] as const) {
    const observer = histogramObserver(options);
    const rest = histogramObserver(options);
    observer.observe(x.subarray(0, 30_000));
    rest.observe(x.subarray(30_000));
    observer.merge(rest);
    const { min, max } = observer.range({ bits: 4 });
    check(`histogramObserver ${options.method}`, Float32Array.of(min, max), expected);
  }
}

/** A .tflite file, written, and run by a session. */
function checkTflite(check: Check): void {
  const file = writeTflite(smokeGraph());
  check("writeTflite", file, "Uint8Array[4688] fnv1a e46df638");
  const session = createSession(file);
  check("createSession of a file", classesOf(session), "Uint8Array 4e2516101e131c08070b");
  session.dispose();
}

/** DoReFa, tanh and noise among it; 1 bit sums, more bits go through thresholds or tanh. */
function checkDorefa(check: Check): void {
  const w = pseudoRandom(1 << 16);
  const dy = w.slice().reverse();
  check("dorefaWeights 1", dorefaWeights(w, 1), "Float32Array[65536] fnv1a b9aef445");
  check("dorefaWeights 2", dorefaWeights(w, 2), "Float32Array[65536] fnv1a e94883e5");
  check("dorefaWeights 3", dorefaWeights(w, 3), "Float32Array[65536] fnv1a 06928986");
  check("dorefaWeights 4", dorefaWeights(w, 4), "Float32Array[65536] fnv1a 63eed090");
  check("dorefaWeights 8", dorefaWeights(w, 8), "Float32Array[65536] fnv1a dc96c1c5");
  check("dorefaWeightsGradient", dorefaWeightsGradient(dy, w, 4), "Float32Array[65536] fnv1a 93d55b05");
  check("dorefaActivations", dorefaActivations(w, 2), "Float32Array[65536] fnv1a 8f3c1838");
  check("dorefaActivationsGradient", dorefaActivationsGradient(dy, w, 2), "Float32Array[65536] fnv1a e73069db");
  check("dorefaActivations to 2", dorefaActivations(w, 2, { bound: 2 }), "Float32Array[65536] fnv1a 8dffcae5");
  check("signActivations", signActivations(w), "Float32Array[65536] fnv1a f6062245");
  check("signActivationsGradient", signActivationsGradient(dy, w), "Float32Array[65536] fnv1a ea2dce00");
  const options = { batch: 64, seed: 1, step: 2, tensor: 3, offset: 2 ** 32 - 5 };
  check("dorefaGradients 1", dorefaGradients(w, 1, options), "Float32Array[65536] fnv1a 2f706945");
  check("dorefaGradients 4", dorefaGradients(w, 4, options), "Float32Array[65536] fnv1a 84e060c0");
  check("dorefaGradients 8", dorefaGradients(w, 8, options), "Float32Array[65536] fnv1a 8a35033e");
}

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof QuantError ? `QuantError ${error.code} ${error.message}` : String(error);
  }
  return "no error";
}
