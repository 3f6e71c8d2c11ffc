import assert from "node:assert/strict";
import { test } from "node:test";
import { openSink } from "../../../src/formats/safetensors/sink.js";

test("a file handle that writes less than it was given is given the rest", async () => {
  const file: number[] = [];
  const truncations: number[] = [];
  const writer = openSink("test", {
    async write(buffer, offset, length, position) {
      const bytesWritten = Math.min(length, 3);
      assert.equal(position, file.length);
      file.push(...buffer.subarray(offset, offset + bytesWritten));
      return { bytesWritten };
    },
    truncate: async (length) => void truncations.push(length),
  });
  await writer.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  await writer.write(Uint8Array.of(8));
  await writer.close();
  assert.deepEqual([file, truncations], [[1, 2, 3, 4, 5, 6, 7, 8], [0]]);
});

test("a stream is written when it is ready", async () => {
  const events: string[] = [];
  const writer = openSink("test", {
    getWriter: () => ({
      get ready() {
        return new Promise((resolve) => setImmediate(resolve)).then(() => events.push("ready"));
      },
      write: async (chunk) => void events.push(`write ${chunk.length}`),
      close: async () => void events.push("close"),
      abort: async (reason) => void events.push(`abort ${reason}`),
    }),
  });
  await writer.write(new Uint8Array(2));
  await writer.close();
  await writer.abort("why");
  assert.deepEqual(events, ["ready", "write 2", "close", "abort why"]);
});
