import { QuantError } from "../../core/errors.js";
import { isJson, type Json, kindOf, type ModelArtifacts, type WeightSpec } from "./artifacts.js";
import { joinWeights, splitWeights } from "./weight-data.js";

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
  if (!isJson(json)) throw fileError(`expected an object, got ${kindOf(json)}`);
  if (!isJson(json.modelTopology)) {
    throw fileError(`expected "modelTopology" as an object, got ${kindOf(json.modelTopology)}`);
  }
  const manifest = json.weightsManifest ?? [];
  if (!Array.isArray(manifest)) throw fileError(`expected "weightsManifest" as a list, got ${kindOf(manifest)}`);
  const paths = manifest.flatMap((group, index) => {
    if (!isJson(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      const found = isJson(group) ? `${kindOf(group.paths)} and ${kindOf(group.weights)}` : kindOf(group);
      throw fileError(`expected lists "paths" and "weights" in weightsManifest[${index}], got ${found}`);
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
  // Copied: a Buffer of Node is often a small part of a larger ArrayBuffer.
  const weightData = paths.map((path) => new Uint8Array(fileOf(files, path)).buffer);
  return { ...pick(json), modelTopology: json.modelTopology as object, weightSpecs, weightData };
}

/**
 * A tfjs model as files: "model.json" and weight files of at most 4 MiB, as tfjs writes them.
 *
 * Errors: QuantError `invalid-model` without a topology in JSON, `invalid-file` for weight data that does not match its
 * specs.
 *
 * @example
 * Object.keys(writeTfjs({ modelTopology: { class_name: "Sequential", config: [] } })); // ["model.json"]
 */
export function writeTfjs(artifacts: ModelArtifacts): ModelFiles {
  const { modelTopology } = artifacts;
  if (!isJson(modelTopology) || modelTopology instanceof ArrayBuffer) {
    throw new QuantError(
      "invalid-model",
      `writeTfjs: expected modelTopology in JSON, got ${modelTopology instanceof ArrayBuffer ? "bytes" : kindOf(modelTopology)}`,
    );
  }
  const { weightSpecs, weightData } = joinWeights(splitWeights(artifacts));
  const count = Math.ceil(weightData.byteLength / SHARD_BYTES);
  const shards = Array.from({ length: count }, (_, i) => ({
    path: `group1-shard${i + 1}of${count}.bin`,
    bytes: new Uint8Array(weightData.slice(i * SHARD_BYTES, (i + 1) * SHARD_BYTES)),
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
