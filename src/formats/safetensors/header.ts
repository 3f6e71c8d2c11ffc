import type { Shape } from "../../core/shape.js";
import { bitsPerElement, DTYPES, type Dtype, isDtype } from "./dtypes.js";
import { fileError, printed, tensorError } from "./file-error.js";
import { isObject, isSizes } from "./json-values.js";
import { parseStrictJson } from "./strict-json.js";

// A safetensors file, little endian:
//
//   0        8                8 + N                              end
//   | u64 N  | JSON, spaces   | tensor data, without holes       |
//
// The JSON maps names to { dtype, shape, data_offsets: [begin, end] }, offsets counted from 8 + N, and "__metadata__" to an
// object of strings.

/** Length of the u64 in front of the JSON. */
export const PREFIX_BYTES = 8;
/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
/** The header object, a tensor, its shape. */
const MAX_DEPTH = 3;

/** What the header says about one tensor. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
  /** Offsets into the tensor data. */
  readonly beginBytes: number;
  readonly endBytes: number;
}

/** A checked header. */
export interface Header {
  /** In the order of their data. */
  readonly tensors: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Length N of the JSON, from the file's first 8 bytes.
 *
 * @param fileBytes size of the file, where it is known
 *
 * Errors: QuantError `invalid-file` for fewer than 8 bytes, a length above 100 MB, or one beyond the file's end.
 */
export function jsonLength(where: string, prefix: Uint8Array, fileBytes: number | undefined): number {
  if (prefix.length < PREFIX_BYTES) {
    throw fileError(where, `expected at least ${PREFIX_BYTES} bytes, got ${prefix.length}`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw fileError(where, `expected a header of at most ${MAX_HEADER_BYTES} bytes, got a length of ${length}`);
  }
  if (fileBytes !== undefined && Number(length) > fileBytes - PREFIX_BYTES) {
    throw fileError(
      where,
      `expected a header of ${length} bytes, got ${fileBytes - PREFIX_BYTES}; the file is truncated or not safetensors`,
    );
  }
  return Number(length);
}

/**
 * Reads and checks the JSON: afterwards every tensor's size fits its shape, and the tensors cover the data without holes
 * or overlaps.
 *
 * @param json the N bytes after the prefix
 * @param dataBytes bytes after the JSON, where they are known; else whoever reads them checks where they end
 *
 * Errors: QuantError `invalid-file`, naming the tensor.
 */
export function parseHeader(where: string, json: Uint8Array, dataBytes: number | undefined): Header {
  const root = parseStrictJson(`${where}, header`, decodeText(where, json), MAX_DEPTH);
  const tensors: TensorEntry[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(root as object)) {
    if (name === "__metadata__") metadata = checkMetadata(where, value);
    else tensors.push(checkEntry(where, name, value, dataBytes));
  }
  tensors.sort((a, b) => a.beginBytes - b.beginBytes || a.endBytes - b.endBytes);
  checkCover(where, tensors, dataBytes);
  return { tensors, metadata };
}

/** The bytes of a whole header: prefix, JSON, and spaces up to a multiple of 8, so that the data is aligned. */
export function encodeHeader(tensors: readonly TensorEntry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  // Text by text: an object would put names that look like integers first.
  const entries = tensors.map(({ name, dtype, shape, beginBytes, endBytes }): [string, object] => [
    name,
    { dtype, shape, data_offsets: [beginBytes, endBytes] },
  ]);
  if (Object.keys(metadata).length > 0) entries.unshift(["__metadata__", metadata]);
  const text = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",");
  const json = new TextEncoder().encode(`{${text}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(PREFIX_BYTES + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, PREFIX_BYTES);
  return bytes;
}

function decodeText(where: string, json: Uint8Array): string {
  if (json[0] !== 0x7b) {
    const first = json.length === 0 ? "nothing" : `byte 0x${json[0].toString(16).padStart(2, "0")}`;
    throw fileError(where, `expected a header that begins with "{", got ${first}; the file is not safetensors`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(json);
  } catch {
    throw fileError(where, "expected a header in UTF-8, got bytes that are not");
  }
}

function checkMetadata(where: string, value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) throw fileError(where, `expected __metadata__ as an object of strings, got ${printed(value)}`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw fileError(where, `expected __metadata__ ${printed(key)} as a string, got ${printed(text)}`);
    }
  }
  return value as Readonly<Record<string, string>>;
}

function checkEntry(where: string, name: string, value: unknown, dataBytes: number | undefined): TensorEntry {
  const fail = (message: string) => tensorError(where, name, message);
  if (!isObject(value)) throw fail(`expected { dtype, shape, data_offsets }, got ${printed(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) throw fail(`expected a dtype (${DTYPES.join(", ")}), got ${printed(dtype)}`);
  if (!isSizes(shape)) throw fail(`expected a shape of non-negative integers, got ${printed(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw fail(`expected data_offsets [begin, end], got ${printed(offsets)}`);
  }
  const [beginBytes, endBytes] = offsets;
  const bits = sizeBits(dtype, shape);
  if (bits === undefined) throw fail(`expected fewer than 2^53 bits of data, got shape ${printed(shape)}`);
  if (bits % 8 !== 0) throw fail(`expected whole bytes, got ${bits} bits for ${dtype} ${printed(shape)}`);
  if (endBytes - beginBytes !== bits / 8) {
    throw fail(`expected ${bits / 8} bytes for ${dtype} ${printed(shape)}, got data_offsets ${printed(offsets)}`);
  }
  if (dataBytes !== undefined && endBytes > dataBytes) {
    throw fail(
      `expected data_offsets within ${dataBytes} bytes of data, got ${printed(offsets)}; the file may be truncated`,
    );
  }
  return { name, dtype, shape, beginBytes, endBytes };
}

/** Bits of a tensor, or undefined where a product leaves the integers that float64 holds. */
function sizeBits(dtype: Dtype, shape: Shape): number | undefined {
  let bits = bitsPerElement(dtype);
  for (const dim of shape) {
    bits *= dim;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits;
}

function checkCover(where: string, tensors: readonly TensorEntry[], dataBytes: number | undefined): void {
  let end = 0;
  for (const { name, beginBytes, endBytes } of tensors) {
    if (beginBytes !== end) {
      const fault = beginBytes > end ? "a hole" : "an overlap";
      throw tensorError(
        where,
        name,
        `expected data that begins at ${end}, where the tensor before it ends, got ${beginBytes}: ${fault}`,
      );
    }
    end = endBytes;
  }
  if (dataBytes !== undefined && end !== dataBytes) {
    throw fileError(where, `expected tensors that cover ${dataBytes} bytes of data, got ${end}`);
  }
}
