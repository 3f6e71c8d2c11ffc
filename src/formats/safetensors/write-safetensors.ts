import { QuantError } from "../../core/errors.js";
import { codesFor, type Grid } from "../../core/grid.js";
import { resolveParams } from "../../core/quant-params.js";
import { checkShape, type Shape } from "../../core/shape.js";
import type { QuantizedTensor, Tensor } from "../../core/tensor.js";
import { codeDtype, codeStorage, storeCodes, storedLength } from "./code-storage.js";
import { DTYPES, type Dtype } from "./dtypes.js";
import { printed, whereTensor } from "./file-error.js";
import { encodeHeader } from "./header.js";
import {
  encodeQuantization,
  firstClash,
  QUANTIZATION_KEY,
  type QuantizedEntry,
  scaleName,
  zeroPointName,
} from "./quantization-metadata.js";
import { type IntegerTensor, integerDtype } from "./tensors.js";

const WHERE = "writeSafetensors";

/** Options of writeSafetensors. */
export interface WriteSafetensorsOptions {
  /** The file's `__metadata__`; "quantization" is the library's own where tensors are quantized. */
  readonly metadata?: Readonly<Record<string, string>>;
}

interface StoredTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

/**
 * Writes a safetensors file.
 *
 * A float tensor is written as F32, an integer one in its own dtype. A quantized `layer.weight` becomes `layer.weight` (I8,
 * U8, I16 or U16; grids of 1, 2 and 4 bits packed into U8, the first code in the lowest bits), `layer.weight_scale` (F32,
 * [channels], or [1] per tensor), and `layer.weight_zero_point` when a zero point is not 0. readSafetensors returns it as it
 * was. Tensors are sorted as the Rust library sorts them, so each is aligned to its elements.
 *
 * @param tensors by name
 * @returns a fresh array with the whole file
 *
 * Errors: TypeError, RangeError for tensors that contradict themselves; QuantError `invalid-model` for names that the file
 * cannot hold beside each other.
 * Source: the safetensors format description; docs/formats.md.
 *
 * @example
 * const weights = { "fc.weight": { data: Float32Array.of(1, -2), shape: [1, 2] } };
 * await writeFile("model.safetensors", writeSafetensors(weights, { metadata: { format: "pt" } }));
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor | QuantizedTensor | IntegerTensor>>,
  options: WriteSafetensorsOptions = {},
): Uint8Array {
  const { metadata = {} } = options;
  checkMetadata(metadata);
  const stored: StoredTensor[] = [];
  const quantized = new Map<string, QuantizedEntry>();
  for (const [name, tensor] of Object.entries(tensors)) {
    if (typeof tensor !== "object" || tensor === null) {
      throw new TypeError(`${whereTensor(WHERE, name)}: expected { data, shape }, got ${String(tensor)}`);
    }
    if ("params" in tensor) quantized.set(name, storeQuantized(stored, name, tensor));
    else stored.push(storePlain(name, tensor));
  }
  checkNames(Object.keys(tensors), quantized.keys());
  if (quantized.size > 0 && Object.hasOwn(metadata, QUANTIZATION_KEY)) {
    throw new TypeError(`${WHERE}: expected no metadata "${QUANTIZATION_KEY}" beside quantized tensors, got one`);
  }
  sortAsRust(stored);
  let endBytes = 0;
  const entries = stored.map(({ name, dtype, shape, bytes }) => {
    const beginBytes = endBytes;
    endBytes += bytes.length;
    return { name, dtype, shape, beginBytes, endBytes };
  });
  const header = encodeHeader(
    entries,
    quantized.size === 0
      ? metadata
      : { ...metadata, [QUANTIZATION_KEY]: encodeQuantization({ tensors: quantized, padding: [] }) },
  );
  const file = new Uint8Array(header.length + endBytes);
  file.set(header);
  for (let i = 0; i < stored.length; i++) file.set(stored[i].bytes, header.length + entries[i].beginBytes);
  return file;
}

function storePlain(name: string, tensor: Tensor | IntegerTensor): StoredTensor {
  const where = whereTensor(WHERE, name);
  const { data, shape } = tensor;
  const integer = "dtype" in tensor && tensor.dtype === "BOOL" ? "BOOL" : integerDtype(data);
  const dtype = data instanceof Float32Array ? "F32" : integer;
  if (dtype === undefined) {
    throw new TypeError(
      `${where}: expected data as a Float32Array or an integer array, got ${Object.prototype.toString.call(data)}`,
    );
  }
  checkShape(where, shape, data.length);
  return { name, dtype, shape, bytes: bytesOf(data) };
}

/** Adds the tensors that hold a quantized one; returns what the metadata says of it. */
function storeQuantized(
  stored: StoredTensor[],
  name: string,
  { data, shape, params }: QuantizedTensor,
): QuantizedEntry {
  const where = whereTensor(WHERE, name);
  checkShape(where, shape, data.length);
  const { qmin, qmax, scale, zeroPoint } = resolveParams(where, params, data.length, { shape });
  checkCodes(where, data, { qmin, qmax });
  const perTensor = typeof params.scale === "number" && typeof params.zeroPoint === "number";
  const storage = codeStorage({ qmin, qmax });
  const codes = storeCodes(storage, data);
  const length = storedLength(storage, data.length);
  stored.push({
    name,
    dtype: storage.dtype,
    shape: storage.packedBits === undefined ? shape : [length],
    bytes: codes,
  });
  stored.push({ name: scaleName(name), dtype: "F32", shape: [scale.length], bytes: bytesOf(scale) });
  if (zeroPoint.some((z) => z !== 0)) {
    const values = codesFor({ qmin, qmax }, zeroPoint.length);
    values.set(zeroPoint);
    stored.push({
      name: zeroPointName(name),
      dtype: codeDtype({ qmin, qmax }),
      shape: [zeroPoint.length],
      bytes: bytesOf(values),
    });
  }
  if (perTensor) return { qmin, qmax, shape };
  const axis = params.axis as number;
  return { qmin, qmax, shape, axis: axis < 0 ? axis + shape.length : axis };
}

function checkCodes(where: string, data: QuantizedTensor["data"], grid: Grid): void {
  const expected = codesFor(grid, 0).constructor;
  if (data.constructor !== expected) {
    throw new TypeError(
      `${where}: expected codes as ${expected.name} for [${grid.qmin}, ${grid.qmax}], got ${data.constructor.name}`,
    );
  }
  for (let i = 0; i < data.length; i++) {
    if (data[i] < grid.qmin || data[i] > grid.qmax) {
      throw new RangeError(`${where}: expected codes in [${grid.qmin}, ${grid.qmax}], got ${data[i]} at index ${i}`);
    }
  }
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  for (const [key, text] of Object.entries(metadata)) {
    if (typeof text !== "string" || key === "__proto__") {
      throw new TypeError(
        `${WHERE}: expected metadata of strings, got ${JSON.stringify(key)}: ${JSON.stringify(text)}`,
      );
    }
  }
}

function checkNames(names: readonly string[], quantized: Iterable<string>): void {
  for (const name of names) {
    if (name === "__metadata__" || name === "__proto__") {
      throw new QuantError("invalid-model", `${WHERE}: expected a tensor name, got the reserved "${name}"`, { name });
    }
  }
  const clash = firstClash(new Set(names), quantized);
  if (clash !== undefined) {
    throw new QuantError(
      "invalid-model",
      `${whereTensor(WHERE, clash.name)}: expected no tensor ${printed(clash.beside)} beside a quantized one, got one`,
      clash,
    );
  }
}

/** By dtype, largest alignment first, then by the names' UTF-8 bytes. */
function sortAsRust(stored: StoredTensor[]): void {
  const encoder = new TextEncoder();
  const keys = new Map(stored.map((tensor) => [tensor, encoder.encode(tensor.name)]));
  stored.sort(
    (a, b) =>
      DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) ||
      compareBytes(keys.get(a) as Uint8Array, keys.get(b) as Uint8Array),
  );
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
