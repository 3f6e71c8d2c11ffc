import { createRequire } from "node:module";
import type { NodeProfile, Session } from "../src/index.js";
import { type LiteRt, loadLiteRt } from "../tests/peers/litert-module.js";
import { loadTflite, type Tflite, tensorsOf } from "../tests/peers/tflite-module.js";
import { createSession, dequantize, quantize, readTflite, writeTflite } from "./bitpress.js";
import type { Row } from "./comparison.js";
import { interleave, median, ratio, type Variant } from "./interleave.js";
import { layerTable } from "./layer-table.js";
import { type RuntimeModel, runtimeModels } from "./runtime-models.js";
import { evenCodes } from "./values.js";

const RULES = ["integer", "float32"] as const;
const PROFILES = 20;

/** An image in codes and in float32. */
interface Input {
  readonly codes: Int8Array;
  readonly real: Float32Array;
}

/**
 * Whole networks, one image per run: sessions against TensorFlow Lite with XNNPACK, LiteRT.js and tfjs's float model, one thread each.
 * Copies of the input and the output count. Peers that take no int8 are compared with sessions that quantize and dequantize too.
 */
export default async function measure(): Promise<Row[]> {
  const require = createRequire(import.meta.url);
  const tflite = await loadTflite(require);
  let liteRt: LiteRt | undefined;
  const rows: Row[] = [];
  for await (const model of runtimeModels()) {
    // Behind the first model: tfjs looks for its host before LiteRT.js changes what it sees.
    liteRt ??= await loadLiteRt(require);
    rows.push(...(await measureModel(model, tflite, liteRt)));
  }
  return rows;
}

async function measureModel(model: RuntimeModel, tflite: Tflite, liteRt: LiteRt): Promise<Row[]> {
  const { name, file, floors, runFloat } = model;
  const realFile = writeTflite(readTflite(file), { io: "float32" });
  const sessions = RULES.map((rounding) => createSession(file, { rounding }));
  const realSessions = RULES.map((rounding) => createSession(realFile, { rounding }));
  const input = inputFor(model, sessions[0]);
  const peers: Record<string, Variant> = {
    tflite: tfliteRun(tflite, file, input.codes),
    litert: await liteRtRun(liteRt, realFile, input.real),
    ...(runFloat === undefined ? {} : { tfjs: () => runFloat(input.real) }),
  };
  const variants: Record<string, Variant> = { ...peers };
  RULES.forEach((rule, i) => {
    variants[rule] = sessionRun(sessions[i], input.codes);
    variants[`${rule}, float32 borders`] = sessionRun(realSessions[i], input.real);
  });
  const times = await interleave(variants, { rounds: model.rounds });
  for (const [i, rule] of RULES.entries()) {
    console.log(`${name}, "${rule}"\n\n${layerTable(fastestLayers(sessions[i]))}\n`);
  }
  for (const session of [...sessions, ...realSessions]) session.dispose();
  const row = (rule: (typeof RULES)[number], peer: "tflite" | "litert" | "tfjs", peerName: string): Row => {
    const own = peer === "tflite" ? rule : `${rule}, float32 borders`;
    const floor = floors[rule][peer];
    return {
      kernel: `${name}, "${rule}"${peer === "tflite" ? "" : ", float32 borders"}, per image`,
      microseconds: median(times[own]) / 1e3,
      peer: `${peerName}, ${Math.round(median(times[peer]) / 1e3)} µs`,
      ratio: ratio(times, own, peer),
      ...(floor === undefined ? {} : { floor }),
    };
  };
  return RULES.flatMap((rule) => [
    row(rule, "tflite", "tfjs-tflite (XNNPACK)"),
    row(rule, "litert", "LiteRT.js"),
    ...(runFloat === undefined ? [] : [row(rule, "tfjs", "tfjs wasm, float model")]),
  ]);
}

/** The least time of each layer: the profile is taken by the clock on the wall, which a busy machine can only make longer. */
function fastestLayers(session: Session): NodeProfile[] {
  const profiles = Array.from({ length: PROFILES }, () => session.profile({ rounds: 2 }));
  return profiles[0].map((layer, i) => ({
    ...layer,
    milliseconds: Math.min(...profiles.map((layers) => layers[i].milliseconds)),
  }));
}

function inputFor({ images }: RuntimeModel, { inputs: [{ shape, scale, zeroPoint }] }: Session): Input {
  const length = shape.reduce((a, b) => a * b);
  const params = { scale: scale as number, zeroPoint: zeroPoint as number, qmin: -128, qmax: 127 };
  const codes =
    images === undefined
      ? evenCodes(length, -128, 127)
      : (quantize(images.subarray(0, length), params) as Int8Array<ArrayBuffer>);
  return { codes, real: dequantize(codes, params) };
}

function sessionRun(session: Session, input: Int8Array | Float32Array): Variant {
  const given = { [session.inputs[0].name]: input };
  const outputs = session.run(given);
  return () => session.run(given, outputs);
}

function tfliteRun(tflite: Tflite, file: Uint8Array, codes: Int8Array): Variant {
  const model = tflite.load(file);
  const [input] = tensorsOf(model.GetInputs());
  const [output] = tensorsOf(model.GetOutputs());
  const out = new Int8Array(output.data().length);
  return () => {
    input.data().set(codes);
    if (!model.Infer()) throw new Error("tfjs-tflite: expected an inference, got a failure");
    out.set(output.data());
  };
}

async function liteRtRun(liteRt: LiteRt, file: Uint8Array, real: Float32Array): Promise<Variant> {
  const model = await liteRt.loadAndCompile(file, { accelerator: "wasm" });
  const shape = [...model.getInputDetails()[0].shape];
  return async () => {
    const input = liteRt.Tensor.fromTypedArray(real, shape);
    const [output] = await model.run([input]);
    await output.data();
    input.delete();
    output.delete();
  };
}
