import { QuantError } from "../../core/errors.js";
import { isJson, type Json, type ModelArtifacts, type WeightSpec } from "./artifacts.js";

/** Files of a tfjs model by path relative to model.json. */
export type ModelFiles = Readonly<Record<string, Uint8Array>>;

const SHARD_BYTES = 4 * 2 ** 20;

/** Parts of model.json that pass through between files and artifacts. */
const PASSED_ON = [
  "format",
  "generatedBy",
  "convertedBy",
  "signature",
  "userDefinedMetadata",
  "modelInitializer",
  "initializerSignature",
  "trainingConfig",
];

/**
 * The parsed model.json of a tfjs model and the paths of its weight files, in order.
 *
 * Errors: QuantError `invalid-file` when it is not a tfjs model.
 */
export function parseModelJson(bytes: Uint8Array): { json: Json; paths: string[] } {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw fileError(`expected JSON, got ${String(cause)}`);
  }
  if (!isJson(json)) throw fileError("expected a JSON object, got another value");
  if (!isJson(json.modelTopology)) throw fileError('expected "modelTopology" as an object, got none');
  const manifest = json.weightsManifest ?? [];
  if (!Array.isArray(manifest)) throw fileError('expected "weightsManifest" as a list');
  const paths = manifest.flatMap((group) => {
    if (!isJson(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      throw fileError('expected "paths" and "weights" in each weights group');
    }
    return group.paths.map((path) => {
      if (typeof path !== "string" || path.split(/[\\/]/).includes("..") || /^([a-z]+:|[\\/])/i.test(path)) {
        throw fileError(`expected weight paths inside the model's folder, got ${JSON.stringify(path)}`);
      }
      return path;
    });
  });
  return { json, paths };
}

/**
 * Reads a tfjs model from its files: "model.json" and the weight files it lists.
 *
 * Errors: QuantError `invalid-file` for a missing file or one that is not a tfjs model.
 *
 * @example
 * readTfjs(writeTfjs({ modelTopology: { class_name: "Sequential", config: [] } })).modelTopology; // class_name "Sequential"
 */
export function readTfjs(files: ModelFiles): ModelArtifacts {
  const { json, paths } = parseModelJson(fileOf(files, "model.json"));
  const weightSpecs = ((json.weightsManifest ?? []) as { weights: WeightSpec[] }[]).flatMap(({ weights }) => weights);
  const weightData = paths.map((path) => {
    const bytes = fileOf(files, path);
    return bytes.slice().buffer as ArrayBuffer;
  });
  return { ...pick(json), modelTopology: json.modelTopology as object, weightSpecs, weightData };
}

/**
 * A tfjs model as files: "model.json" and weight files of at most 4 MiB, as tfjs writes them.
 *
 * @example
 * Object.keys(writeTfjs({ modelTopology: { class_name: "Sequential", config: [] } })); // ["model.json"]
 */
export function writeTfjs(artifacts: ModelArtifacts): ModelFiles {
  const { modelTopology, weightSpecs = [], weightData } = artifacts;
  const parts = weightData === undefined ? [] : Array.isArray(weightData) ? weightData : [weightData];
  const data = new Uint8Array(parts.reduce((sum: number, part: ArrayBuffer) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    data.set(new Uint8Array(part), offset);
    offset += part.byteLength;
  }
  const count = Math.ceil(data.length / SHARD_BYTES);
  const shards = Array.from({ length: count }, (_, i) => ({
    path: `group1-shard${i + 1}of${count}.bin`,
    bytes: data.slice(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
  }));
  const weightsManifest =
    weightSpecs.length > 0 ? [{ paths: shards.map(({ path }) => path), weights: weightSpecs }] : [];
  const json = { ...pick(artifacts), modelTopology, weightsManifest };
  return {
    "model.json": new TextEncoder().encode(JSON.stringify(json)),
    ...Object.fromEntries(shards.map(({ path, bytes }) => [path, bytes])),
  };
}

function fileOf(files: ModelFiles, path: string): Uint8Array {
  const bytes = Object.hasOwn(files, path) ? files[path] : undefined;
  if (bytes === undefined) throw fileError(`expected a file "${path}", got none`);
  return bytes;
}

function pick(source: Json): Json {
  return Object.fromEntries(PASSED_ON.filter((key) => source[key] !== undefined).map((key) => [key, source[key]]));
}

function fileError(text: string): QuantError {
  return new QuantError("invalid-file", `tfjs model.json: ${text}`);
}
