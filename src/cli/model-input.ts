import { readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { QuantError } from "../core/errors.js";
import type { ModelArtifacts } from "../formats/tfjs-model/artifacts.js";
import { parseModelJson, readTfjs } from "../formats/tfjs-model/files.js";
import { UsageError } from "./usage-error.js";

/** The model that a path names. */
export interface ModelInput {
  readonly format: "tfjs" | "safetensors";
  /** The .safetensors file or the model.json. */
  readonly file: string;
  /** Where an output goes by default, but for what is added to the name: the path without its extension. */
  readonly stem: string;
}

/**
 * Finds the model that a path names: a folder with a model.json, a .json file, or a .safetensors file.
 *
 * Errors: QuantError `invalid-file` for a missing file; UsageError for a file of another kind.
 */
export async function findModel(path: string): Promise<ModelInput> {
  const found = await stat(path).catch(missingFile(path));
  if (found.isDirectory()) {
    const file = join(path, "model.json");
    await stat(file).catch(missingFile(file));
    const folder = path.replace(/[\\/]+$/, "");
    // "." and "models/.." have a name only in full.
    return { format: "tfjs", file, stem: /^\.{0,2}$/.test(basename(folder)) ? resolve(path) : folder };
  }
  const extension = extname(path);
  const stem = join(dirname(path), basename(path, extension));
  if (extension.toLowerCase() === ".json") return { format: "tfjs", file: path, stem };
  if (extension.toLowerCase() === ".safetensors") return { format: "safetensors", file: path, stem };
  throw new UsageError(`expected a model.json, a folder that holds one, or a .safetensors file, got "${path}"`);
}

/** Reads a tfjs model and says how many bytes its files have. */
export async function readTfjsModel(modelJson: string): Promise<{ artifacts: ModelArtifacts; fileBytes: number }> {
  const json = await readFile(modelJson);
  const files: Record<string, Uint8Array> = { "model.json": json };
  for (const path of parseModelJson(json).paths) {
    const file = join(dirname(modelJson), path);
    files[path] = await readFile(file).catch(missingFile(file));
  }
  const fileBytes = Object.values(files).reduce((sum, { length }) => sum + length, 0);
  return { artifacts: readTfjs(files), fileBytes };
}

function missingFile(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new QuantError("invalid-file", `expected a file at "${path}", got none`, { path });
  };
}
