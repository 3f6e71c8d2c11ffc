import type { QuantErrorCode } from "../../core/errors.js";
import { expectThat } from "../../core/expect-that.js";

// A flatbuffer is tables that point forward to other tables, vectors and strings, and back (or on) to vtables that say where
// their fields lie:
//
//   table:   i32 distance back to its vtable | fields …
//   vtable:  u16 its bytes | u16 bytes of the table | u16 offset of field 0 in the table, 0 if absent | field 1 | …
//   vector:  u32 length | elements …          string: u32 length | UTF-8 … | 0
//   a field that points: u32 distance on to its target
//
// A file is somebody else's: every position is checked before it is read, and it is read byte by byte, so that alignment does
// not matter. Nothing here recurses: no cycle of offsets can hang it. Offsets may share a target, though, and then a small
// file claims an amount of reading that is quadratic in its size. So what may be read in all is bounded, by a multiple of the
// file that honest files do not reach.

export const MOST_READS_PER_BYTE = 16;

interface Flatbuffer {
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

/** Checks what a file says; the error is one of `readTflite`. */
export function expectFile(
  fits: boolean,
  expected: string,
  actual: unknown,
  code: QuantErrorCode = "invalid-file",
): asserts fits {
  expectThat(fits, code, "readTflite", expected, actual);
}

/** The root table. Errors: QuantError `invalid-file`, as of all functions here. */
export function rootTable(bytes: Uint8Array, identifier: string): Table {
  const found = String.fromCharCode(...bytes.subarray(4, 8));
  expectFile(found === identifier, `"${identifier}" in bytes 4 to 7 of the file`, JSON.stringify(found));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const file = { bytes, view, left: bytes.length * MOST_READS_PER_BYTE };
  return tableAt(file, view.getUint32(0, true));
}

/** A number: b is an int8, f a float32, else an int32. */
export function numberField(table: Table, slot: number, kind: string, otherwise = 0): number {
  const at = field(table, slot, kind === "b" ? 1 : 4);
  const { view } = table.file;
  if (at === 0) return otherwise;
  return kind === "b" ? view.getInt8(at) : kind === "f" ? view.getFloat32(at, true) : view.getInt32(at, true);
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

/** The vector that a field points to, `bytes` per element; none if it is absent. */
export function vectorField(table: Table, slot: number, bytes: number): { start: number; length: number } {
  const { file } = table;
  const at = field(table, slot, 4);
  if (at === 0) return { start: 0, length: 0 };
  const start = target(file, at) + 4;
  within(file, start, 0);
  const length = file.view.getUint32(start - 4, true);
  within(file, start, length * bytes);
  file.left -= length * bytes;
  expectFile(file.left >= 0, `parts of at most ${MOST_READS_PER_BYTE} times the file`, "more; they overlap");
  return { start, length };
}

/** Bytes that a field points to: a view. */
export function bytesField(table: Table, slot: number): Uint8Array {
  const { start, length } = vectorField(table, slot, 1);
  return table.file.bytes.subarray(start, start + length);
}

/** The text that a field points to; "" if it is absent. */
export function textField(table: Table, slot: number): string {
  return new TextDecoder().decode(bytesField(table, slot));
}

/** Numbers of a vector, `bytes` each. */
export function numbersField(table: Table, slot: number, bytes: number, read: (at: number) => number): number[] {
  const { start, length } = vectorField(table, slot, bytes);
  return Array.from({ length }, (_, i) => read(start + bytes * i));
}

/** The int32 of a vector. */
export function intsField(table: Table, slot: number): number[] {
  return numbersField(table, slot, 4, (at) => table.file.view.getInt32(at, true));
}

/** The tables of a vector of tables. */
export function tablesField(table: Table, slot: number): Table[] {
  const { file } = table;
  const { start, length } = vectorField(table, slot, 4);
  return Array.from({ length }, (_, i) => tableAt(file, target(file, start + 4 * i)));
}

function within({ bytes }: Flatbuffer, start: number, size: number): void {
  const end = start < 0 ? start : start + size;
  expectFile(
    end >= 0 && end <= bytes.length,
    `offsets below the file's ${bytes.length} bytes`,
    `${end}; it is damaged`,
  );
}

function target(file: Flatbuffer, at: number): number {
  return at + file.view.getUint32(at, true);
}

function tableAt(file: Flatbuffer, start: number): Table {
  within(file, start, 4);
  const vtable = start - file.view.getInt32(start, true);
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
  const offset = entry + 2 > vtableSize ? 0 : file.view.getUint16(vtable + entry, true);
  if (offset === 0) return 0;
  expectFile(offset + bytes <= size, `fields inside of a table of ${size} bytes`, offset + bytes);
  return start + offset;
}
