import assert from "node:assert/strict";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inspectSafetensors } from "../../src/arrays/inspect-safetensors.js";
import type { Inspection } from "../../src/arrays/inspection.js";
import { quantizeSafetensors } from "../../src/arrays/quantize-safetensors.js";
import { writeSafetensors } from "../../src/formats/safetensors/write-safetensors.js";
import { inFolder } from "../cli/command-line.js";
import { fileOf } from "../formats/safetensors/by-hand.js";

/** Inspects bytes as a file; collects the progress. */
async function inspect(bytes: Uint8Array): Promise<Inspection & { progress: unknown[] }> {
  const progress: unknown[] = [];
  let inspection: Inspection | undefined;
  await inFolder(async (folder) => {
    await writeFile(join(folder, "a"), bytes);
    const file = await open(join(folder, "a"));
    try {
      inspection = await inspectSafetensors(file, (step) => progress.push(step));
    } finally {
      await file.close();
    }
  });
  assert.ok(inspection !== undefined);
  return { ...inspection, progress };
}

async function quantized(bytes: Uint8Array, options: Parameters<typeof quantizeSafetensors>[2]): Promise<Uint8Array> {
  const parts: number[] = [];
  await quantizeSafetensors(bytes, (part) => void parts.push(...part), options);
  return Uint8Array.from(parts);
}

function bins(...filled: [number, number][]): number[] {
  const histogram = new Array(16).fill(0);
  for (const [bin, count] of filled) histogram[bin] = count;
  return histogram;
}

const finite = { nonFinite: 0, firstNonFinite: -1 };

test("dtypes as stored; integers and halves by value; unread dtypes without values", async () => {
  const halves = Uint16Array.of(0x3c00, 0xc000); // 1, -2
  const file = fileOf(
    {
      u64: { dtype: "U64", shape: [1], data_offsets: [0, 8] },
      half: { dtype: "F16", shape: [2], data_offsets: [8, 12] },
      f8: { dtype: "F8_E4M3", shape: [4], data_offsets: [12, 16] },
    },
    new Uint8Array([...new Uint8Array(BigUint64Array.of(3n).buffer), ...new Uint8Array(halves.buffer), 1, 2, 3, 4]),
  );
  const { tensors, fileBytes, progress } = await inspect(file);
  assert.equal(fileBytes, file.length);
  const three = { min: 3, max: 3, histogram: bins([8, 1]), ...finite };
  const ends = { min: -2, max: 1, histogram: bins([0, 1], [15, 1]), ...finite };
  assert.deepEqual(tensors, [
    { name: "u64", shape: [1], dtype: "U64", bits: 64, bytes: 8, values: three },
    { name: "half", shape: [2], dtype: "F16", bits: 16, bytes: 4, values: ends },
    { name: "f8", shape: [4], dtype: "F8_E4M3", bits: 8, bytes: 4 },
  ]);
  assert.deepEqual(progress, [
    { name: "u64", done: 8, total: 16 },
    { name: "half", done: 12, total: 16 },
    { name: "f8", done: 16, total: 16 },
  ]);
});

test("packed and unpacked codes mean their values; scales and padding are no rows", async () => {
  // The 3 bytes of packed codes need one of padding before the float bias.
  const data = new Uint8Array(Float32Array.of(7, -7, 1, 14, 2, 0, 1).buffer);
  const file = fileOf(
    {
      "a.weight": { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
      "b.bias": { dtype: "F32", shape: [1], data_offsets: [24, 28] },
    },
    data,
  );
  const packed = await quantized(file, { bits: 4 });
  assert.ok(new TextDecoder().decode(packed).includes("bitpress.padding.0"));
  const { tensors } = await inspect(packed);
  assert.deepEqual(
    tensors.map(({ name }) => name),
    ["a.weight", "b.bias"],
  );
  assert.deepEqual(tensors[0], {
    name: "a.weight",
    shape: [2, 3],
    dtype: "U8",
    bits: 4,
    // 6 codes of 4 bits, 2 scales
    bytes: 3 + 8,
    // Scales 1 and 2: channel 0 spans 14 steps, channel 1 seven.
    grid: { granularity: "perChannel", scales: [1, 2], step: 1 / 7 },
    values: { min: -7, max: 14, histogram: bins([0, 1], [5, 1], [6, 2], [10, 1], [15, 1]), ...finite },
  });
  const [bytes] = (await inspect(await quantized(file, { bits: 8, granularity: "perTensor" }))).tensors;
  assert.deepEqual([bytes.dtype, bytes.bits, bytes.bytes, bytes.grid?.granularity], ["I8", 8, 6 + 4, "perTensor"]);
});

test("a tensor that seems to be a scale, or padding, is a row where no quantized tensor owns it", async () => {
  const file = writeSafetensors({ w_scale: { data: Float32Array.of(2), shape: [1] } });
  assert.deepEqual(
    (await inspect(file)).tensors.map(({ name }) => name),
    ["w_scale"],
  );
});

test("metadata that names what the file does not hold", async () => {
  const quantization = JSON.stringify({
    format: "bitpress",
    version: 1,
    tensors: { w: { bits: 8, qmin: -127, qmax: 127, shape: [1] } },
  });
  const file = fileOf(
    { __metadata__: { quantization }, w_scale: { dtype: "F32", shape: [1], data_offsets: [0, 4] } },
    4,
  );
  await assert.rejects(inspect(file), {
    name: "QuantError",
    message: 'inspectSafetensors "w": expected its codes in the file, got none',
  });
});
