import assert from "node:assert/strict";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { QuantizedTensor } from "../../../src/core/tensor.js";
import { openSafetensors } from "../../../src/formats/safetensors/open-safetensors.js";
import { readSafetensors } from "../../../src/formats/safetensors/read-safetensors.js";
import type { FileSource } from "../../../src/formats/safetensors/source.js";
import { writeSafetensors } from "../../../src/formats/safetensors/write-safetensors.js";
import { inFolder } from "../../cli/command-line.js";
import { fileOf } from "./by-hand.js";

const AFFINE: QuantizedTensor = {
  data: Uint8Array.of(1, 2, 3, 4, 5, 6),
  shape: [2, 3],
  params: { qmin: 0, qmax: 15, scale: Float32Array.of(0.5, 2), zeroPoint: Int32Array.of(3, 0), axis: 0 },
};
const FILE = writeSafetensors({
  odd: { data: Uint8Array.of(7), shape: [1], dtype: "U8" },
  affine: AFFINE,
  float: { data: Float32Array.of(1, -2), shape: [2] },
});

/** A file in memory that counts what is read of it. */
function counted(bytes: Uint8Array): FileSource & { readonly reads: number[] } {
  const reads: number[] = [];
  return {
    reads,
    async stat() {
      return { size: bytes.length };
    },
    async read(buffer, offset, length, position) {
      const part = bytes.subarray(position, position + length);
      buffer.set(part, offset);
      reads.push(part.length);
      return { bytesRead: part.length };
    },
  };
}

test("each tensor alone is what readSafetensors finds in the whole file, in any order", async () => {
  const { tensors } = readSafetensors(FILE);
  const opened = await openSafetensors("here", counted(FILE));
  for (const name of ["odd", "float", "affine"]) assert.deepEqual(await opened.readTensor(name), tensors[name]);
  assert.deepEqual(
    opened.parts("affine").map(({ name }) => name),
    ["affine", "affine_scale", "affine_zero_point"],
  );
  assert.equal(opened.sizeBytes, FILE.length);
});

test("a real file", () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, "a"), FILE);
    const file = await open(join(folder, "a"));
    try {
      const { readTensor } = await openSafetensors("here", file);
      assert.deepEqual(await readTensor("affine"), AFFINE);
    } finally {
      await file.close();
    }
  }));

test("nothing is read but the header and the tensor that is asked for", async () => {
  const data = 1000;
  const file = fileOf(
    {
      big: { dtype: "U8", shape: [data], data_offsets: [0, data] },
      small: { dtype: "U8", shape: [3], data_offsets: [data, data + 3] },
    },
    data + 3,
  );
  const source = counted(file);
  const { readTensor } = await openSafetensors("here", source);
  await readTensor("small");
  assert.deepEqual(source.reads, [8, file.length - 8 - data - 3, 3]);
});

test("a file that is none names the caller", async () => {
  await assert.rejects(openSafetensors("here", counted(Uint8Array.of(1, 2))), {
    name: "QuantError",
    message: "here: expected at least 8 bytes, got 2",
  });
});
