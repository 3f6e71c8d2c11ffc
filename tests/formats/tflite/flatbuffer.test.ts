import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Builder } from "flatbuffers";
import { QuantError } from "../../../src/core/errors.js";
import {
  bytesField,
  hasField,
  intsField,
  MOST_READS_PER_BYTE,
  numberField,
  rootTable,
  tableField,
  tablesField,
  textField,
  vectorField,
} from "../../../src/formats/tflite/flatbuffer.js";

/** Fields: −5 (int8), 70000 (int32), 1.5 (float32), "née", [7, −8], a table of one field 9, and an absent one. */
function sample(): Uint8Array {
  const builder = new Builder(64);
  const text = builder.createString("née");
  builder.startVector(4, 2, 4);
  builder.addInt32(-8);
  builder.addInt32(7);
  const ints = builder.endVector();
  builder.startObject(1);
  builder.addFieldInt32(0, 9, 0);
  const inner = builder.endObject();
  builder.startVector(4, 2, 4);
  builder.addOffset(inner);
  builder.addOffset(inner);
  const tables = builder.endVector();
  builder.startObject(8);
  builder.addFieldInt8(0, -5, 0);
  builder.addFieldInt32(1, 70000, 0);
  builder.addFieldFloat32(2, 1.5, 0);
  builder.addFieldOffset(3, text, 0);
  builder.addFieldOffset(4, ints, 0);
  builder.addFieldOffset(5, inner, 0);
  builder.addFieldOffset(6, tables, 0);
  builder.finish(builder.endObject(), "TEST");
  return builder.asUint8Array().slice();
}

const read = (bytes: Uint8Array) => rootTable(bytes, "TEST");

test("what the flatbuffers library writes is read", () => {
  const root = read(sample());
  assert.equal(numberField(root, 0, "b"), -5);
  assert.equal(numberField(root, 1, "i"), 70000);
  assert.equal(numberField(root, 2, "f"), 1.5);
  assert.equal(textField(root, 3), "née");
  assert.deepEqual(bytesField(root, 3), new TextEncoder().encode("née"));
  assert.deepEqual(intsField(root, 4), [7, -8]);
  assert.equal(numberField(tableField(root, 5)!, 0, "i"), 9);
  assert.deepEqual(
    tablesField(root, 6).map((table) => numberField(table, 0, "i")),
    [9, 9],
  );
  assert.deepEqual([hasField(root, 6), hasField(root, 7), hasField(root, 5000)], [true, false, false]);
});

test("absent fields are their defaults", () => {
  const root = read(sample());
  assert.equal(numberField(root, 7, "i"), 0);
  assert.equal(numberField(root, 7, "i", 1), 1);
  assert.equal(textField(root, 7), "");
  assert.deepEqual(intsField(root, 7), []);
  assert.equal(tableField(root, 7), undefined);
  assert.deepEqual(tablesField(root, 7), []);
});

describe("a damaged file", () => {
  const bytes = sample();
  const view = new DataView(bytes.buffer);
  const root = view.getUint32(0, true);
  const vtable = root - view.getInt32(root, true);
  const fieldAt = (slot: number): number => root + view.getUint16(vtable + 4 + 2 * slot, true);
  const damaged = (change: (view: DataView) => void): Uint8Array => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  };
  const everything = (file: Uint8Array): void => {
    const table = read(file);
    numberField(table, 1, "i");
    textField(table, 3);
    intsField(table, 4);
    tableField(table, 5);
    tablesField(table, 6);
  };
  const end = bytes.length;
  const outside = (at: number) =>
    `readTflite: expected offsets below the file's ${end} bytes, got ${at}; it is damaged`;
  const vector = fieldAt(4) + view.getUint32(fieldAt(4), true);
  const cases: readonly [title: string, change: (view: DataView) => void, message: string][] = [
    ["a root behind the end", (v) => v.setUint32(0, end, true), outside(end + 4)],
    ["a root of the largest offset", (v) => v.setUint32(0, 0xffffffff, true), outside(0xffffffff + 4)],
    ["a vtable before the file", (v) => v.setInt32(root, root + 8, true), outside(-8)],
    ["a vtable behind the end", (v) => v.setInt32(root, root - end, true), outside(end + 4)],
    ["a vtable longer than the file", (v) => v.setUint16(vtable, 0xffff, true), outside(vtable + 0xffff)],
    ["a table longer than the file", (v) => v.setUint16(vtable + 2, 0xffff, true), outside(root + 0xffff)],
    ["a vector behind the end", (v) => v.setUint32(fieldAt(4), end - fieldAt(4), true), outside(end + 4)],
    [
      "a vector of 2^32 − 1 elements",
      (v) => v.setUint32(vector, 0xffffffff, true),
      outside(vector + 4 + 0xffffffff * 4),
    ],
    [
      "a field outside of its table",
      (v) => v.setUint16(vtable + 6, 0x1000, true),
      `readTflite: expected fields inside of a table of ${view.getUint16(vtable + 2, true)} bytes, got ${0x1000 + 4}`,
    ],
  ];
  for (const [title, change, message] of cases) {
    test(title, () => {
      assert.throws(
        () => everything(damaged(change)),
        (error) => {
          assert.ok(error instanceof QuantError, String(error));
          assert.deepEqual([error.code, error.message], ["invalid-file", message]);
          return true;
        },
      );
    });
  }

  test("cut off anywhere is refused or read, never a fault of the engine", () => {
    for (let length = 0; length < end; length++) {
      try {
        everything(bytes.slice(0, length));
      } catch (error) {
        assert.ok(error instanceof QuantError && error.code === "invalid-file", `${length}: ${String(error)}`);
      }
    }
  });
});

test("vectors that share their bytes may be read a bounded number of times", () => {
  const bytes = sample();
  const root = read(bytes);
  const reads = Math.floor((bytes.length * MOST_READS_PER_BYTE) / 8);
  for (let i = 0; i < reads; i++) vectorField(root, 4, 4);
  assert.throws(
    () => vectorField(root, 4, 4),
    new QuantError(
      "invalid-file",
      `readTflite: expected parts of at most ${MOST_READS_PER_BYTE} times the file, got more; they overlap`,
      { where: "readTflite" },
    ),
  );
});
