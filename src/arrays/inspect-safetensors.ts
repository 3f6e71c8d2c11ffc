import { bitsOf } from "../core/grid.js";
import { bitsPerElement } from "../formats/safetensors/dtypes.js";
import { tensorError } from "../formats/safetensors/file-error.js";
import type { TensorEntry } from "../formats/safetensors/header.js";
import { type OpenSafetensors, openSafetensors } from "../formats/safetensors/open-safetensors.js";
import { scaleName, zeroPointName } from "../formats/safetensors/quantization-metadata.js";
import type { FileSource } from "../formats/safetensors/source.js";
import { isFloat, isInteger } from "../formats/safetensors/tensors.js";
import { weightGrid } from "../quantizers/weight-rule.js";
import { dequantize } from "../wasm/dequantize.js";
import { type Inspection, int8Sqnr, storedGrid, type TensorInspection } from "./inspection.js";
import type { SafetensorsProgress } from "./quantize-safetensors.js";
import { summarizeValues } from "./summarize-values.js";

const WHERE = "inspectSafetensors";

/**
 * Looks into a safetensors file, tensor by tensor, in the order of the file.
 *
 * What quantizeSafetensors or writeSafetensors quantized is shown with the values it stands for; scales, zero points and
 * padding are no rows of their own. Memory holds one tensor at a time (about 13 bytes per element).
 *
 * Errors: as readSafetensors.
 */
export async function inspectSafetensors(
  file: FileSource,
  onProgress?: (progress: SafetensorsProgress) => void,
): Promise<Inspection> {
  const opened = await openSafetensors(WHERE, file);
  const { header, quantization, sizeBytes } = opened;
  const hidden = new Set(quantization?.padding);
  for (const name of quantization?.tensors.keys() ?? []) {
    if (opened.parts(name)[0]?.name !== name)
      throw tensorError(WHERE, name, "expected its codes in the file, got none");
    hidden.add(scaleName(name)).add(zeroPointName(name));
  }
  const tensors: TensorInspection[] = [];
  for (const entry of header.tensors) {
    if (!hidden.has(entry.name)) tensors.push(await inspectTensor(opened, entry));
    onProgress?.({ name: entry.name, done: entry.endBytes, total: header.tensors.at(-1)?.endBytes ?? 0 });
  }
  return { tensors, fileBytes: sizeBytes };
}

async function inspectTensor(
  { quantization, parts, readTensor }: OpenSafetensors,
  { name, dtype, shape }: TensorEntry,
): Promise<TensorInspection> {
  const grid = quantization?.tensors.get(name);
  const about = {
    name,
    shape: grid?.shape ?? shape,
    dtype,
    bits: grid === undefined ? bitsPerElement(dtype) : bitsOf(grid),
    bytes: parts(name).reduce((sum, { beginBytes, endBytes }) => sum + endBytes - beginBytes, 0),
  };
  if (!isFloat(dtype) && !isInteger(dtype)) return about;
  const tensor = await readTensor(name);
  if (tensor.data.length === 0) return about;
  if ("params" in tensor) {
    const { params, shape: view } = tensor;
    const data = dequantize(tensor.data, params, { shape: view });
    const scale = typeof params.scale === "number" ? Float32Array.of(params.scale) : params.scale;
    return { ...about, values: summarizeValues(data), grid: storedGrid({ data, shape: view }, scale, params.axis) };
  }
  const { data } = tensor;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return { ...about, values: summarizeValues(Float64Array.from(data, Number)) };
  }
  const values = summarizeValues(data);
  const rule = weightGrid(name, shape, undefined, { bits: 8, granularity: "perChannel", layout: "pytorch" });
  if (!(data instanceof Float32Array) || rule === undefined) return { ...about, values };
  const preview = int8Sqnr({ data, shape }, rule.axis);
  return { ...about, values, ...(preview === undefined ? {} : { int8Sqnr: preview }) };
}
