import { ByteBuffer } from "flatbuffers";

// A .tflite file taken apart with the flatbuffers library and the field numbers of TensorFlow Lite's schema alone, sharing
// nothing with src: the judge of our reader and writer.

export interface TensorByHand {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
  /** Position of the content in the file, and its bytes; absent without data. */
  readonly at?: number;
  readonly data?: Uint8Array;
}

export interface OperatorByHand {
  readonly code: number;
  readonly deprecatedCode: number;
  readonly version: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly optionsType: number;
  /** An int8, int32 or float32 of the options. */
  option(slot: number, kind: "int8" | "int32" | "float32"): number | undefined;
}

/** Position of a field in a table, or 0. */
function fieldAt(buffer: ByteBuffer, table: number, slot: number): number {
  const offset = buffer.__offset(table, 4 + 2 * slot);
  return offset === 0 ? 0 : table + offset;
}

function vector(buffer: ByteBuffer, table: number, slot: number): { start: number; length: number } {
  const at = fieldAt(buffer, table, slot);
  // __vector and __vector_len take the position of the field that points.
  return at === 0 ? { start: 0, length: 0 } : { start: buffer.__vector(at), length: buffer.__vector_len(at) };
}

function ints(buffer: ByteBuffer, table: number, slot: number): number[] {
  const { start, length } = vector(buffer, table, slot);
  return Array.from({ length }, (_, i) => buffer.readInt32(start + 4 * i));
}

function tables(buffer: ByteBuffer, table: number, slot: number): number[] {
  const { start, length } = vector(buffer, table, slot);
  return Array.from({ length }, (_, i) => buffer.__indirect(start + 4 * i));
}

function text(buffer: ByteBuffer, table: number, slot: number): string | undefined {
  const at = fieldAt(buffer, table, slot);
  return at === 0 ? undefined : String(buffer.__string(at));
}

function int(buffer: ByteBuffer, table: number, slot: number, otherwise = 0): number {
  const at = fieldAt(buffer, table, slot);
  return at === 0 ? otherwise : buffer.readInt32(at);
}

function byte(buffer: ByteBuffer, table: number, slot: number): number {
  const at = fieldAt(buffer, table, slot);
  return at === 0 ? 0 : buffer.readInt8(at);
}

/** Positions of the tables that tests change. */
export function tablePositions(bytes: Uint8Array): {
  readonly root: number;
  readonly codes: readonly number[];
  readonly tensors: readonly number[];
  readonly operators: readonly number[];
  field(table: number, slot: number): number;
} {
  const buffer = new ByteBuffer(bytes);
  const root = buffer.__indirect(0);
  const [subgraph] = tables(buffer, root, 2);
  return {
    root,
    codes: tables(buffer, root, 1),
    tensors: tables(buffer, subgraph, 0),
    operators: tables(buffer, subgraph, 3),
    field: (table, slot) => fieldAt(buffer, table, slot),
  };
}

/** Everything a file says. */
export function decodeByHand(bytes: Uint8Array) {
  const buffer = new ByteBuffer(bytes);
  const root = buffer.__indirect(0);
  const buffers = tables(buffer, root, 4).map((table) => vector(buffer, table, 0));
  const subgraphs = tables(buffer, root, 2);
  const [subgraph] = subgraphs;
  const codes = tables(buffer, root, 1).map((table) => ({
    deprecatedCode: byte(buffer, table, 0),
    version: int(buffer, table, 2, 1),
    code: int(buffer, table, 3),
  }));
  const tensors = tables(buffer, subgraph, 0).map((table): TensorByHand => {
    const quantization = fieldAt(buffer, table, 4) === 0 ? undefined : buffer.__indirect(fieldAt(buffer, table, 4));
    const scales = quantization === undefined ? { start: 0, length: 0 } : vector(buffer, quantization, 2);
    const zeros = quantization === undefined ? { start: 0, length: 0 } : vector(buffer, quantization, 3);
    const content = buffers[int(buffer, table, 2)];
    return {
      name: text(buffer, table, 3) ?? "",
      shape: ints(buffer, table, 0),
      type: byte(buffer, table, 1),
      scales: Array.from({ length: scales.length }, (_, i) => buffer.readFloat32(scales.start + 4 * i)),
      zeroPoints: Array.from({ length: zeros.length }, (_, i) => Number(buffer.readInt64(zeros.start + 8 * i))),
      axis: quantization === undefined ? 0 : int(buffer, quantization, 6),
      ...(content.length === 0
        ? {}
        : { at: content.start, data: bytes.slice(content.start, content.start + content.length) }),
    };
  });
  const operators = tables(buffer, subgraph, 3).map((table): OperatorByHand => {
    const options = fieldAt(buffer, table, 4) === 0 ? undefined : buffer.__indirect(fieldAt(buffer, table, 4));
    return {
      ...codes[int(buffer, table, 0)],
      inputs: ints(buffer, table, 1),
      outputs: ints(buffer, table, 2),
      optionsType: byte(buffer, table, 3),
      option: (slot, kind) => {
        const at = options === undefined ? 0 : fieldAt(buffer, options, slot);
        if (at === 0) return undefined;
        return kind === "int8" ? buffer.readInt8(at) : kind === "int32" ? buffer.readInt32(at) : buffer.readFloat32(at);
      },
    };
  });
  const named = (table: number, slot: number): Record<string, string> =>
    Object.fromEntries(
      tables(buffer, table, slot).map((entry) => [text(buffer, entry, 0), tensors[int(buffer, entry, 1)].name]),
    );
  return {
    identifier: String.fromCharCode(...bytes.subarray(4, 8)),
    version: int(buffer, root, 0),
    description: text(buffer, root, 3),
    subgraphs: subgraphs.length,
    name: text(buffer, subgraph, 4),
    tensors,
    inputs: ints(buffer, subgraph, 1).map((index) => tensors[index].name),
    outputs: ints(buffer, subgraph, 2).map((index) => tensors[index].name),
    operators,
    emptyBuffer: buffers[0].length === 0,
    metadata: tables(buffer, root, 6).map((table) => {
      const { start, length } = buffers[int(buffer, table, 1)];
      return { name: text(buffer, table, 0), bytes: bytes.slice(start, start + length) };
    }),
    signatures: tables(buffer, root, 7).map((table) => ({
      key: text(buffer, table, 2),
      inputs: named(table, 0),
      outputs: named(table, 1),
    })),
  };
}
