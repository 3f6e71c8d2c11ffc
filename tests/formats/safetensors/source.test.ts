import assert from "node:assert/strict";
import { test } from "node:test";
import { openSource } from "../../../src/formats/safetensors/source.js";

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i);

test("a file handle that reads less than it was asked for is asked again", async () => {
  const asked: number[][] = [];
  const handle = {
    stat: async () => ({ size: 100n }),
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      asked.push([offset, length, position]);
      const bytesRead = Math.min(length, 30, BYTES.length - position);
      buffer.set(BYTES.subarray(position, position + bytesRead), offset);
      return { bytesRead };
    },
  };
  const reader = await openSource("test", handle);
  assert.equal(reader.sizeBytes, 100);
  assert.deepEqual(await reader.read("test", 10), BYTES.slice(0, 10));
  assert.deepEqual(await reader.read("test", 70), BYTES.slice(10, 80));
  assert.deepEqual(asked, [
    [0, 10, 0],
    [0, 70, 10],
    [30, 40, 40],
    [60, 10, 70],
  ]);
  await assert.rejects(reader.expectEnd("test"), {
    message: "test: expected the source to end after 80 bytes, got 100",
  });
});

test("a file that has become shorter since it was opened is truncated", async () => {
  const handle = { stat: async () => ({ size: 100 }), read: async () => ({ bytesRead: 0 }) };
  const reader = await openSource("test", handle);
  await assert.rejects(reader.read("test", 10), {
    code: "invalid-file",
    message: "test: expected 10 more bytes, got 0 before the source ended; it is truncated",
  });
});

test("a stream's chunks may be empty, and are left as they were", async () => {
  const chunks = [new Uint8Array(0), BYTES.slice(0, 3), new Uint8Array(0), BYTES.slice(3, 10)];
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const reader = await openSource("test", stream);
  assert.deepEqual(await reader.read("test", 0), new Uint8Array(0));
  const first = await reader.read("test", 2);
  const rest = await reader.read("test", 8);
  assert.deepEqual([first, rest], [BYTES.slice(0, 2), BYTES.slice(2, 10)]);
  first.fill(9);
  assert.deepEqual(chunks[1], BYTES.slice(0, 3));
  await reader.expectEnd("test");
});

test("what is read from memory is a copy at offset 0, so that any element type can lie over it", async () => {
  const reader = await openSource("test", BYTES.subarray(1));
  const bytes = await reader.read("test", 4);
  assert.deepEqual([bytes.byteOffset, bytes.buffer === BYTES.buffer], [0, false]);
  assert.deepEqual(bytes, BYTES.slice(1, 5));
});
