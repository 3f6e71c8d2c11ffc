import { sizeOf } from "../../core/shape.js";
import { codeStorage, storedLength } from "./code-storage.js";
import { alignmentBytes, type Dtype } from "./dtypes.js";
import type { TensorEntry } from "./header.js";
import { type QuantizedEntry, scaleName } from "./quantization-metadata.js";

// The layout of a file that is written while another is read front to back.
//
//   source   | a.weight F32 [3, 3] | a.bias F32 [3] | …
//   written  | a.weight_scale F32 [3] | a.weight I8 [3, 3] | padding U8 [3] | a.bias F32 [3] | …
//
// Tensors keep the source's order, the only one in which a stream can be written without holding it, so the offsets of
// float32 may follow an odd number of one-byte codes. The format allows that, but PyTorch's loader does not ("storage_offset()
// must be divisible by 4"), nor can anybody map such a file into memory; and holes are forbidden. So bytes of padding are
// tensors of their own, at most 7 bytes each, only where they are needed (codes whose number is a multiple of 4 need none),
// and named in the metadata. The scale stands in front of its codes, where most often it is aligned already. Sorting by
// alignment instead would read every weight twice, once for the scales, and could not read a stream at all.

/** A part of the file, in the order of writing. */
type Piece =
  | { readonly kind: "padding"; readonly bytes: number }
  | { readonly kind: "copy"; readonly entry: TensorEntry }
  | { readonly kind: "quantize"; readonly entry: TensorEntry; readonly quantized: QuantizedEntry };

/** What is written, and the header that says so. */
export interface StreamedLayout {
  readonly pieces: readonly Piece[];
  readonly entries: readonly TensorEntry[];
  /** Names of the padding tensors. */
  readonly padding: readonly string[];
}

/** Lays out the file in which those tensors of `source` that `quantized` names are quantized, and the others copied. */
export function layOutStream(
  source: readonly TensorEntry[],
  quantized: ReadonlyMap<string, QuantizedEntry>,
): StreamedLayout {
  const taken = new Set(source.map(({ name }) => name));
  const pieces: Piece[] = [];
  const entries: TensorEntry[] = [];
  const padding: string[] = [];
  let end = 0;

  function add(name: string, dtype: Dtype, shape: readonly number[], bytes: number): void {
    entries.push({ name, dtype, shape, beginBytes: end, endBytes: end + bytes });
    end += bytes;
  }

  function align(dtype: Dtype): void {
    const alignment = alignmentBytes(dtype);
    const bytes = (alignment - (end % alignment)) % alignment;
    if (bytes === 0) return;
    const name = unusedName(taken, padding.length);
    padding.push(name);
    pieces.push({ kind: "padding", bytes });
    add(name, "U8", [bytes], bytes);
  }

  for (const entry of source) {
    const { name, dtype, shape } = entry;
    const target = quantized.get(name);
    if (target === undefined) {
      align(dtype);
      pieces.push({ kind: "copy", entry });
      add(name, dtype, shape, entry.endBytes - entry.beginBytes);
    } else {
      const channels = target.axis === undefined ? 1 : target.shape[target.axis];
      const storage = codeStorage(target);
      const length = storedLength(storage, sizeOf(shape));
      align("F32");
      pieces.push({ kind: "quantize", entry, quantized: target });
      add(scaleName(name), "F32", [channels], 4 * channels);
      add(
        name,
        storage.dtype,
        storage.packedBits === undefined ? shape : [length],
        length * alignmentBytes(storage.dtype),
      );
    }
  }
  return { pieces, entries, padding };
}

function unusedName(taken: Set<string>, count: number): string {
  let index = count;
  while (taken.has(`bitpress.padding.${index}`)) index++;
  const name = `bitpress.padding.${index}`;
  taken.add(name);
  return name;
}
