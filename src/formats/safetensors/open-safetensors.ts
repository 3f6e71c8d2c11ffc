import { encodeHeader, type Header, jsonLength, PREFIX_BYTES, parseHeader, type TensorEntry } from "./header.js";
import {
  encodeQuantization,
  parseQuantization,
  QUANTIZATION_KEY,
  type Quantization,
  scaleName,
  zeroPointName,
} from "./quantization-metadata.js";
import { readSafetensors } from "./read-safetensors.js";
import { type FileSource, readAt } from "./source.js";
import type { SafetensorsTensor } from "./tensors.js";

/** A safetensors file whose header is read and whose tensors are not. */
export interface OpenSafetensors {
  readonly sizeBytes: number;
  readonly header: Header;
  /** Undefined when it holds nothing that this library quantized. */
  readonly quantization: Quantization | undefined;
  /** What the file stores for one tensor: itself, and its scale and zero point where it is quantized. */
  parts(name: string): readonly TensorEntry[];
  /** Reads one tensor, as readSafetensors does. */
  readTensor(name: string): Promise<SafetensorsTensor>;
}

/**
 * Opens a safetensors file to read it tensor by tensor, in any order.
 *
 * Memory holds the header and whatever tensor is being read. The file stays open.
 * Errors: as readSafetensors.
 */
export async function openSafetensors(where: string, file: FileSource): Promise<OpenSafetensors> {
  const sizeBytes = Number((await file.stat()).size);
  const length = jsonLength(where, await readAt(file, 0, Math.min(PREFIX_BYTES, sizeBytes)), sizeBytes);
  const start = PREFIX_BYTES + length;
  const header = parseHeader(where, await readAt(file, PREFIX_BYTES, start), sizeBytes - start);
  const quantization = parseQuantization(where, header.metadata[QUANTIZATION_KEY]);
  const entries = new Map(header.tensors.map((entry) => [entry.name, entry]));

  function parts(name: string): TensorEntry[] {
    const names = quantization?.tensors.has(name) ? [name, scaleName(name), zeroPointName(name)] : [name];
    return names.flatMap((part) => entries.get(part) ?? []);
  }

  /** A file of this tensor alone goes through the reader, so that there is one reader. */
  async function readTensor(name: string): Promise<SafetensorsTensor> {
    const own = parts(name);
    let end = 0;
    const moved = own.map((entry) => {
      const beginBytes = end;
      end += entry.endBytes - entry.beginBytes;
      return { ...entry, beginBytes, endBytes: end };
    });
    const grid = quantization?.tensors.get(name);
    const tensors = new Map(grid === undefined ? [] : [[name, grid]]);
    const metadata: Record<string, string> =
      grid === undefined ? {} : { [QUANTIZATION_KEY]: encodeQuantization({ tensors, padding: [] }) };
    const head = encodeHeader(moved, metadata);
    const bytes = new Uint8Array(head.length + end);
    bytes.set(head);
    for (const [i, { beginBytes, endBytes }] of own.entries()) {
      bytes.set(await readAt(file, start + beginBytes, start + endBytes), head.length + moved[i].beginBytes);
    }
    return readSafetensors(bytes).tensors[name];
  }

  return { sizeBytes, header, quantization, parts, readTensor };
}
