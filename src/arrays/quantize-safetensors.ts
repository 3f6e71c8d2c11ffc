import type { Granularity, WeightLayout } from "../core/granularity.js";
import { gridOf } from "../core/grid.js";
import type { Shape } from "../core/shape.js";
import { codeStorage, storeCodes } from "../formats/safetensors/code-storage.js";
import { bitsPerElement } from "../formats/safetensors/dtypes.js";
import { fileError, printed, whereTensor } from "../formats/safetensors/file-error.js";
import {
  encodeHeader,
  type Header,
  jsonLength,
  PREFIX_BYTES,
  parseHeader,
  type TensorEntry,
} from "../formats/safetensors/header.js";
import {
  encodeQuantization,
  firstClash,
  QUANTIZATION_KEY,
  type QuantizedEntry,
} from "../formats/safetensors/quantization-metadata.js";
import { openSink, type SafetensorsSink, type SequentialWriter } from "../formats/safetensors/sink.js";
import { openSource, type SafetensorsSource, type SequentialReader } from "../formats/safetensors/source.js";
import { layOutStream, type StreamedLayout } from "../formats/safetensors/streamed-layout.js";
import { decodeFloats, type FloatTensor, isFloat } from "../formats/safetensors/tensors.js";
import type { ConfigList } from "../quantizers/config-list.js";
import { naivePlanner } from "../quantizers/naive.js";
import { quantizeWeight, weightGridOptions } from "../quantizers/quantize-weight.js";
import { quantizedReport, type Report, reportOf, type TensorReport } from "../quantizers/report.js";
import type { LayerInfo } from "../quantizers/select-config.js";
import { layerOfEntry, stateDictLayers } from "../quantizers/state-dict-layers.js";
import { checkWeightLayout, type StateDictGrid, weightGrid } from "../quantizers/weight-rule.js";

const WHERE = "quantizeSafetensors";

/** Bytes of an untouched tensor that are held at a time. */
const COPY_BYTES = 2 ** 22;

/** How far a run is. */
export interface SafetensorsProgress {
  /** The tensor that was just written. */
  readonly name: string;
  /** Bytes of tensor data read so far. */
  readonly done: number;
  /** Bytes of tensor data in the source. */
  readonly total: number;
}

/** Options of quantizeSafetensors. */
export interface QuantizeSafetensorsOptions {
  /** 2…8. Default 8. */
  readonly bits?: number;
  /** Default "perChannel". */
  readonly granularity?: Granularity;
  /** Where the output channels are. Default "pytorch". */
  readonly layout?: WeightLayout;
  /** Called after every tensor. */
  readonly onProgress?: (progress: SafetensorsProgress) => void;
  /** NNI's spelling, in place of bits and granularity; a layer is the name before the last dot. */
  readonly configList?: ConfigList;
}

/**
 * Quantizes the weights of a safetensors file to integers while it is copied, tensor by tensor.
 *
 * Every float tensor of rank ≥ 2 becomes the tensors that writeSafetensors would write for it (docs/formats.md), on the
 * signed, symmetric, narrow grid; all others are copied byte for byte. The output is written front to back and needs no
 * seeking; the source is read front to back and once. Memory holds one weight at a time (about 9 bytes per element), and
 * the library's bounded scratch, however large the file is.
 *
 * A run that fails never leaves what looks like a finished file: the last bytes are written only when the source has ended
 * where its header says; a stream is aborted, a file handle's file emptied. A callback sink just gets no more calls: its
 * file is too short for its header, so that readers refuse it. Write beside the target, then rename.
 *
 * @param source a Uint8Array, ArrayBuffer, Blob, ReadableStream of bytes or Node FileHandle
 * @param sink a WritableStream of bytes, a Node FileHandle, or a function that takes each part and may return a promise
 * @returns the report; bytes without the header
 *
 * Rounding: F16 and BF16 weights are exact in float32, F64 ones rounded to it; then as quantize.
 * Errors: QuantError `invalid-file` for a malformed, empty or already quantized source, before anything is written;
 * `non-finite`, naming tensor and index; TypeError, RangeError for options; whatever source or sink throw.
 * Source: docs/formats.md.
 *
 * @example
 * const source = await open("model.safetensors");
 * const sink = await open("model.int8.safetensors.part", "w");
 * await quantizeSafetensors(source, sink, { bits: 8 }); // bytesBefore 8, bytesAfter 6
 */
export async function quantizeSafetensors(
  source: SafetensorsSource,
  sink: SafetensorsSink,
  options: QuantizeSafetensorsOptions = {},
): Promise<Report> {
  const planner = weightPlanner(options);
  const reader = await openSource(WHERE, source);
  let writer: SequentialWriter | undefined;
  try {
    writer = openSink(WHERE, sink);
    return await run(reader, writer, planner, options.onProgress);
  } catch (error) {
    // What went wrong is the caller's to know, not that the clean-up failed too.
    await Promise.allSettled([writer?.abort(error), reader.cancel(error)]);
    throw error;
  }
}

type Plan = (name: string, shape: Shape) => StateDictGrid | undefined;

function weightPlanner(options: QuantizeSafetensorsOptions): (tensors: readonly TensorEntry[]) => Plan {
  const { bits, granularity, layout = "pytorch", configList } = options;
  checkWeightLayout(WHERE, layout);
  if (configList !== undefined && (bits !== undefined || granularity !== undefined)) {
    throw new TypeError(`${WHERE}: expected configList or bits and granularity, got both`);
  }
  const plain = { ...(bits !== undefined && { bits }), ...(granularity !== undefined && { granularity }) };
  const planner = naivePlanner(WHERE, configList ?? plain);
  return (tensors) => {
    const shapes = Object.fromEntries(tensors.map(({ name, shape }) => [name, { shape }]));
    const layers = new Map(stateDictLayers(WHERE, shapes).map((layer) => [layer.name, layer]));
    const plan = planner([...layers.values()]);
    return (name, shape) => {
      const grid = plan(layers.get(layerOfEntry(name)) as LayerInfo);
      return grid && weightGrid(name, shape, undefined, { ...grid, layout });
    };
  };
}

async function run(
  reader: SequentialReader,
  writer: SequentialWriter,
  planner: (tensors: readonly TensorEntry[]) => Plan,
  onProgress: QuantizeSafetensorsOptions["onProgress"],
): Promise<Report> {
  const header = await readHeader(reader);
  const planned = planTensors(header.tensors, planner(header.tensors));
  const layout = layOutStream(header.tensors, planned);
  // One part behind: the last goes out only after the source has proved to be whole.
  let held = encodeLayout(header, planned, layout);
  const write = async (part: Uint8Array): Promise<void> => {
    await writer.write(held);
    held = part;
  };

  const reports: TensorReport[] = [];
  const total = header.tensors.at(-1)?.endBytes ?? 0;
  for (const piece of layout.pieces) {
    if (piece.kind === "padding") {
      await write(new Uint8Array(piece.bytes));
      continue;
    }
    const { entry } = piece;
    const target = planned.get(entry.name);
    reports.push(
      target === undefined
        ? await copyTensor(reader, write, entry)
        : await quantizeTensor(reader, write, entry, target),
    );
    onProgress?.({ name: entry.name, done: entry.endBytes, total });
  }
  await reader.expectEnd(WHERE);
  await writer.write(held);
  await writer.close();
  return reportOf(reports);
}

async function readHeader(reader: SequentialReader): Promise<Header> {
  const length = jsonLength(WHERE, await reader.read(WHERE, PREFIX_BYTES), reader.sizeBytes);
  const json = await reader.read(WHERE, length);
  const dataBytes = reader.sizeBytes === undefined ? undefined : reader.sizeBytes - PREFIX_BYTES - length;
  const header = parseHeader(WHERE, json, dataBytes);
  if (header.tensors.length === 0) throw fileError(WHERE, "expected at least one tensor, got none");
  if (Object.hasOwn(header.metadata, QUANTIZATION_KEY)) {
    throw fileError(WHERE, `expected a file that is not quantized, got one with __metadata__.${QUANTIZATION_KEY}`);
  }
  return header;
}

/** How one tensor is quantized: in the file's words, and in the quantizer's. */
interface PlannedTensor extends QuantizedEntry {
  readonly stored: FloatTensor["dtype"];
  readonly weightGrid: StateDictGrid;
}

function planTensors(tensors: readonly TensorEntry[], plan: Plan): ReadonlyMap<string, PlannedTensor> {
  const planned = new Map<string, PlannedTensor>();
  for (const { name, dtype, shape } of tensors) {
    const weightGrid = isFloat(dtype) ? plan(name, shape) : undefined;
    if (!isFloat(dtype) || weightGrid === undefined) continue;
    const { bits, granularity, axis, viewShape = shape } = weightGrid;
    const grid = gridOf(whereTensor(WHERE, name), weightGridOptions(bits));
    const layout = granularity === "perTensor" ? { shape } : { shape: viewShape, axis };
    planned.set(name, { ...grid, ...layout, stored: dtype, weightGrid });
  }
  const clash = firstClash(new Set(tensors.map(({ name }) => name)), planned.keys());
  if (clash !== undefined) {
    throw fileError(
      whereTensor(WHERE, clash.name),
      `expected no tensor ${printed(clash.beside)} beside a weight to quantize, got one; the file seems quantized already`,
      clash,
    );
  }
  return planned;
}

function encodeLayout(
  { metadata }: Header,
  tensors: ReadonlyMap<string, QuantizedEntry>,
  { entries, padding }: StreamedLayout,
): Uint8Array {
  if (tensors.size === 0 && padding.length === 0) return encodeHeader(entries, metadata);
  return encodeHeader(entries, { ...metadata, [QUANTIZATION_KEY]: encodeQuantization({ tensors, padding }) });
}

async function copyTensor(
  reader: SequentialReader,
  write: (part: Uint8Array) => Promise<void>,
  { name, dtype, shape, beginBytes, endBytes }: TensorEntry,
): Promise<TensorReport> {
  const where = whereTensor(WHERE, name);
  for (let at = beginBytes; at < endBytes; at += COPY_BYTES) {
    await write(await reader.read(where, Math.min(COPY_BYTES, endBytes - at)));
  }
  return {
    name,
    shape,
    bits: bitsPerElement(dtype),
    bytesBefore: endBytes - beginBytes,
    bytesAfter: endBytes - beginBytes,
    sqnr: Number.POSITIVE_INFINITY,
  };
}

async function quantizeTensor(
  reader: SequentialReader,
  write: (part: Uint8Array) => Promise<void>,
  { name, shape, beginBytes, endBytes }: TensorEntry,
  target: PlannedTensor,
): Promise<TensorReport> {
  const where = whereTensor(WHERE, name);
  const bytes = await reader.read(where, endBytes - beginBytes);
  const before = { data: decodeFloats(bytes, target.stored), shape: target.shape };
  const after = quantizeWeight(where, before, target.weightGrid);
  const { scale } = after.params;
  const scales = typeof scale === "number" ? Float32Array.of(scale) : scale;
  await write(new Uint8Array(scales.buffer, scales.byteOffset, scales.byteLength));
  await write(storeCodes(codeStorage(target), after.data));
  return { ...quantizedReport(name, before, after), shape, bytesBefore: bytes.length };
}
