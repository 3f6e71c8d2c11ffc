import { QuantError } from "../../core/errors.js";

// A flatbuffer is tables that point forward to other tables, vectors and strings, and back (or on) to vtables that say where
// their fields lie:
//
//   table:   i32 distance back to its vtable | fields …
//   vtable:  u16 its bytes | u16 bytes of the table | u16 offset of field 0 in the table, 0 if absent | field 1 | …
//   vector:  u32 length | elements …          string: u32 length | UTF-8 … | 0
//   a field that points: u32 distance on to its target
//
// A file is somebody else's: every position is checked before it is read. Nothing here recurses, so that no cycle of offsets
// can hang it. Offsets may share a target, though: a small file can claim an amount of reading that is quadratic in its size.
// So what may be read in all is bounded, by a multiple of the file that honest files (with weights shared by layers) never
// reach.

export const MOST_READS_PER_BYTE = 64;

export interface Flatbuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Bytes of vectors and strings that may yet be read. */
  left: number;
}

export interface Table {
  readonly file: Flatbuffer;
  readonly start: number;
  readonly size: number;
  readonly vtable: number;
  readonly vtableSize: number;
}

export interface Vector {
  readonly start: number;
  readonly length: number;
}

/** The error for a file that is not what it should be. */
export function fileError(message: string, where = "readTflite"): QuantError {
  return new QuantError("invalid-file", `${where}: ${message}`);
}

/** The root table. Errors: QuantError `invalid-file`, as of all functions here. */
export function rootTable(bytes: Uint8Array, identifier: string): Table {
  const found = String.fromCharCode(...bytes.subarray(4, 8));
  if (found !== identifier) {
    throw fileError(`expected a file with "${identifier}" in bytes 4 to 7, got ${JSON.stringify(found)}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const file = { bytes, view, left: bytes.length * MOST_READS_PER_BYTE };
  return tableAt(file, view.getUint32(0, true));
}

/** Int8 of a field, or its default. */
export function int8Field(table: Table, slot: number, otherwise = 0): number {
  const at = field(table, slot, 1);
  return at === 0 ? otherwise : table.file.view.getInt8(at);
}

/** Int32 of a field, or its default. */
export function int32Field(table: Table, slot: number, otherwise = 0): number {
  const at = field(table, slot, 4);
  return at === 0 ? otherwise : table.file.view.getInt32(at, true);
}

/** Float32 of a field, or 0. */
export function float32Field(table: Table, slot: number): number {
  const at = field(table, slot, 4);
  return at === 0 ? 0 : table.file.view.getFloat32(at, true);
}

/** Whether a field is there. */
export function hasField(table: Table, slot: number): boolean {
  return field(table, slot, 1) !== 0;
}

/** The table that a field points to. */
export function tableField(table: Table, slot: number): Table | undefined {
  const at = field(table, slot, 4);
  return at === 0 ? undefined : tableAt(table.file, target(table.file, at));
}

/** The elements that a field points to, `bytes` each; none if it is absent. */
export function vectorField(table: Table, slot: number, bytes: number): Vector {
  const at = field(table, slot, 4);
  if (at === 0) return { start: 0, length: 0 };
  const { file } = table;
  const start = target(file, at) + 4;
  const length = start <= file.bytes.length ? file.view.getUint32(start - 4, true) : 0;
  within(file, start - 4, 4 + length * bytes);
  countReads(file, length * bytes);
  return { start, length };
}

/** The text that a field points to, or undefined. */
export function textField(table: Table, slot: number): string | undefined {
  if (!hasField(table, slot)) return undefined;
  const { start, length } = vectorField(table, slot, 1);
  return new TextDecoder().decode(table.file.bytes.subarray(start, start + length));
}

/** Int32 elements. */
export function int32Elements(table: Table, slot: number): number[] {
  const { start, length } = vectorField(table, slot, 4);
  return Array.from({ length }, (_, i) => table.file.view.getInt32(start + 4 * i, true));
}

/** The tables of a vector of tables. */
export function tableElements(table: Table, slot: number): Table[] {
  const { file } = table;
  const { start, length } = vectorField(table, slot, 4);
  return Array.from({ length }, (_, i) => tableAt(file, target(file, start + 4 * i)));
}

/** Takes bytes of what may be read. */
export function countReads(file: Flatbuffer, bytes: number): void {
  file.left -= bytes;
  if (file.left < 0) {
    throw fileError(`expected parts of at most ${MOST_READS_PER_BYTE} times the file's bytes, got more; they overlap`);
  }
}

function within({ bytes }: Flatbuffer, start: number, size: number): void {
  if (start + size > bytes.length) {
    throw fileError(
      `expected offsets below the file's ${bytes.length} bytes, got ${start + size}; it is truncated or damaged`,
    );
  }
}

function target(file: Flatbuffer, at: number): number {
  return at + file.view.getUint32(at, true);
}

function tableAt(file: Flatbuffer, start: number): Table {
  within(file, start, 4);
  const vtable = start - file.view.getInt32(start, true);
  if (vtable < 0) throw fileError(`expected a vtable inside of the file, got offset ${vtable}; it is damaged`);
  within(file, vtable, 4);
  const vtableSize = file.view.getUint16(vtable, true);
  const size = file.view.getUint16(vtable + 2, true);
  within(file, vtable, vtableSize);
  within(file, start, size);
  return { file, start, size, vtable, vtableSize };
}

/** Position of a field of some bytes, or 0 where it is absent. */
function field({ file, start, size, vtable, vtableSize }: Table, slot: number, bytes: number): number {
  const entry = 4 + 2 * slot;
  if (entry + 2 > vtableSize) return 0;
  const offset = file.view.getUint16(vtable + entry, true);
  if (offset === 0) return 0;
  if (offset + bytes > size) throw fileError(`expected a field inside of its table of ${size} bytes, got ${offset}`);
  return start + offset;
}
