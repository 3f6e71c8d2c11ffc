import { QuantError } from "../../core/errors.js";
import type { Codes } from "../../core/grid.js";
import type { QuantParams } from "../../core/quant-params.js";
import { sizeOf } from "../../core/shape.js";
import type { QuantizedTensor } from "../../core/tensor.js";
import { codeDtype, codeStorage, loadCodes, storedLength } from "./code-storage.js";
import { tensorError, whereTensor } from "./file-error.js";
import { jsonLength, PREFIX_BYTES, parseHeader, type TensorEntry } from "./header.js";
import {
  parseQuantization,
  QUANTIZATION_KEY,
  type QuantizedEntry,
  scaleName,
  zeroPointName,
} from "./quantization-metadata.js";
import { decodeFloats, integersOf, isFloat, isInteger, type SafetensorsTensor } from "./tensors.js";

const WHERE = "readSafetensors";

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, SafetensorsTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file.
 *
 * F32, F16, BF16 and F64 tensors come as float32, integers as their own typed arrays (64 bits: BigInt; BOOL: bytes), and
 * what writeSafetensors or quantizeSafetensors quantized as QuantizedTensor, exactly as it was; their scales, zero points
 * and the metadata that describes them are then not listed again.
 *
 * Rounding: F64 only, to float32, once, ties to even; beyond its range ±Infinity.
 *
 * @param bytes the whole file; arrays that lie in it with the right alignment are views of it, the others copies
 *
 * Errors: QuantError `invalid-file` for anything that is not a well-formed file (the header is checked whole before any
 * tensor is read); `unsupported`, naming the tensor, for F4, F6, F8 and C64; TypeError for another argument.
 * Source: the safetensors format description; docs/formats.md.
 *
 * @example
 * const { tensors } = readSafetensors(await readFile("model.safetensors"));
 * tensors["fc.weight"].data; // Float32Array [1, -2]
 */
export function readSafetensors(bytes: Uint8Array | ArrayBuffer): Safetensors {
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array)) {
    throw new TypeError(`${WHERE}: expected a Uint8Array or ArrayBuffer, got ${Object.prototype.toString.call(bytes)}`);
  }
  const start = PREFIX_BYTES + jsonLength(WHERE, file.subarray(0, PREFIX_BYTES), file.length);
  const data = file.subarray(start);
  const header = parseHeader(WHERE, file.subarray(PREFIX_BYTES, start), data.length);
  const quantization = parseQuantization(WHERE, header.metadata[QUANTIZATION_KEY]);
  const entries = new Map(header.tensors.map((entry) => [entry.name, entry]));
  const quantized = [...(quantization?.tensors ?? [])].map(([name, entry]): [string, QuantizedTensor] => [
    name,
    readQuantized(data, entries, name, entry),
  ]);
  for (const [name] of quantized) {
    for (const part of [name, scaleName(name), zeroPointName(name)]) entries.delete(part);
  }
  for (const name of quantization?.padding ?? []) {
    if (entries.get(name)?.dtype !== "U8") {
      throw tensorError(WHERE, name, `expected padding as a tensor of U8, got ${entries.get(name)?.dtype ?? "none"}`);
    }
    entries.delete(name);
  }
  const plain = [...entries.values()].map((entry) => [entry.name, readPlain(data, entry)]);
  const metadata = Object.entries(header.metadata).filter(
    ([key]) => quantization === undefined || key !== QUANTIZATION_KEY,
  );
  return { tensors: Object.fromEntries([...plain, ...quantized]), metadata: Object.fromEntries(metadata) };
}

function readPlain(data: Uint8Array, { name, dtype, shape, beginBytes, endBytes }: TensorEntry): SafetensorsTensor {
  const bytes = data.subarray(beginBytes, endBytes);
  if (isFloat(dtype)) return { data: decodeFloats(bytes, dtype), shape, dtype };
  if (isInteger(dtype)) return { data: integersOf(bytes, dtype), shape, dtype } as SafetensorsTensor;
  throw new QuantError(
    "unsupported",
    `${whereTensor(WHERE, name)}: expected F64, F32, F16, BF16, BOOL or an integer dtype, got ${dtype}`,
    { tensor: name, dtype },
  );
}

function readQuantized(
  data: Uint8Array,
  entries: ReadonlyMap<string, TensorEntry>,
  name: string,
  { qmin, qmax, axis, shape }: QuantizedEntry,
): QuantizedTensor {
  const storage = codeStorage({ qmin, qmax });
  const length = sizeOf(shape);
  const channels = axis === undefined ? 1 : shape[axis];
  const bytesOf = (part: string, dtype: string, elements: number): Uint8Array => {
    const entry = entries.get(part);
    if (entry === undefined) throw tensorError(WHERE, name, `expected a tensor "${part}" for it, got none`);
    if (entry.dtype !== dtype || sizeOf(entry.shape) !== elements) {
      throw tensorError(
        WHERE,
        part,
        `expected ${dtype} with ${elements} elements, got ${entry.dtype} with ${sizeOf(entry.shape)}`,
      );
    }
    return data.subarray(entry.beginBytes, entry.endBytes);
  };
  const stored = bytesOf(name, storage.dtype, storedLength(storage, length));
  const codes = loadCodes(storage, integersOf(stored, storage.dtype), length, { qmin, qmax });
  checkValues(name, "codes", codes, qmin, qmax);
  const scale = decodeFloats(bytesOf(scaleName(name), "F32", channels), "F32");
  const misfit = scale.findIndex((s) => !(s > 0 && s < Number.POSITIVE_INFINITY));
  if (misfit >= 0) {
    throw tensorError(
      WHERE,
      scaleName(name),
      `expected scales > 0 and finite, got ${scale[misfit]} at index ${misfit}`,
    );
  }
  let zeroPoint = new Int32Array(channels).fill(0);
  if (entries.has(zeroPointName(name))) {
    const dtype = codeDtype({ qmin, qmax });
    zeroPoint = Int32Array.from(integersOf(bytesOf(zeroPointName(name), dtype, channels), dtype));
  }
  checkValues(zeroPointName(name), "zero points", zeroPoint, qmin, qmax);
  const params: QuantParams =
    axis === undefined
      ? { scale: scale[0], zeroPoint: zeroPoint[0], qmin, qmax }
      : { scale, zeroPoint, qmin, qmax, axis };
  return { data: codes, shape, params };
}

function checkValues(name: string, what: string, values: Codes | Int32Array, qmin: number, qmax: number): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] < qmin || values[i] > qmax) {
      throw tensorError(WHERE, name, `expected ${what} in [${qmin}, ${qmax}], got ${values[i]} at index ${i}`);
    }
  }
}
