import { readFileSync } from "node:fs";
import { type ExportedModel, exportedCnn, exportedMobilenet } from "../tests/peers/exported-models.js";
import { givenModel } from "../tests/peers/given-model-path.js";

/** Runtimes of whole networks that sessions are compared with. */
type PeerName = "tflite" | "litert" | "tfjs";

/** How many times as fast as a peer a session is to be. */
type Floors = Readonly<Partial<Record<PeerName, number>>>;

/** A network to measure: a .tflite file with int8 inputs and outputs. */
export interface RuntimeModel {
  readonly name: string;
  readonly file: Uint8Array;
  /** The float original in tfjs, where there is one. */
  readonly runFloat?: (image: Float32Array) => Float32Array;
  /** Images for it; absent: random codes. */
  readonly images?: Float32Array;
  readonly floors: Readonly<Record<"integer" | "float32", Floors>>;
  readonly rounds: number;
}

interface Candidate extends Omit<RuntimeModel, "file" | "runFloat" | "images"> {
  readonly load: () => Promise<ExportedModel | Pick<RuntimeModel, "file"> | string>;
}

const ROUNDS = 31;
const NO_FLOORS = { integer: {}, float32: {} };

const CANDIDATES: readonly Candidate[] = [
  { name: "MNIST CNN", load: () => exportedCnn("mnist-cnn"), floors: NO_FLOORS, rounds: ROUNDS },
  { name: "Fashion CNN", load: () => exportedCnn("fashion-cnn"), floors: NO_FLOORS, rounds: ROUNDS },
  {
    name: "DS-CNN",
    load: () => given("kws_ref_model.tflite"),
    floors: { integer: { tflite: 1.9, litert: 1.9 }, float32: { tflite: 2.1, litert: 2.1 } },
    rounds: ROUNDS,
  },
  {
    name: "ResNet-8",
    load: () => given("pretrainedResnet_quant.tflite"),
    floors: { integer: { tflite: 2.2, litert: 2.2 }, float32: { tflite: 2.4, litert: 2.4 } },
    rounds: ROUNDS,
  },
  {
    name: "MobileNetV2",
    load: exportedMobilenet,
    floors: { integer: { tflite: 1.2, litert: 1.15, tfjs: 4 }, float32: { tflite: 1.35, litert: 1.25, tfjs: 4 } },
    rounds: 15,
  },
];

/** Loads one network after the other; of those that are not here the reason is said. */
export async function* runtimeModels(): AsyncGenerator<RuntimeModel> {
  for (const { load, ...rest } of CANDIDATES) {
    const loaded = await load();
    if (typeof loaded === "string") console.error(`${rest.name} skipped: ${loaded}`);
    else yield { ...rest, ...loaded };
  }
}

async function given(name: string): Promise<Pick<RuntimeModel, "file"> | string> {
  const { path, missing } = givenModel(name);
  return missing === false ? { file: new Uint8Array(readFileSync(path)) } : missing;
}
