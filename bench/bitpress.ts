// The package as it is built. Its sources would be slower than what users run: tsx names each closure at each call.
const built = new URL("../dist/index.js", import.meta.url).href;

export const {
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
  minMax,
  movingAverageObserver,
  packBits,
  quantize,
  readTflite,
  residentArray,
  signActivations,
  unpackBits,
  writeTflite,
} = (await import(built)) as typeof import("../src/index.js");
