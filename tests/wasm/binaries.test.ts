import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { TRAINING_EXPORTS } from "../contracts/training-contract.js";

/** Ids of the sections of a wasm file. */
const SECTION = { custom: 0, type: 1, import: 2, global: 6, export: 7, start: 8, data: 11, dataCount: 12 };

interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

/** Reads the variable-length numbers and names of a section. */
function reader(bytes: Uint8Array) {
  let at = 0;
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const byte = (): number => bytes[at++];
  const name = (): string => {
    const length = u32();
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };
  const skip = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return { u32, byte, name, skip, done: () => at >= bytes.length };
}

function sectionsOf(bytes: Uint8Array): Section[] {
  assert.deepEqual([...bytes.subarray(0, 8)], [0, 97, 115, 109, 1, 0, 0, 0]);
  const { u32, byte, skip, done } = reader(bytes.subarray(8));
  const sections: Section[] = [];
  while (!done()) sections.push({ id: byte(), content: skip(u32()) });
  return sections;
}

/** Imports as `module.name kind`; kinds: 0 function, 1 table, 2 memory, 3 global. */
function importsOf(sections: Section[]): string[] {
  return sections
    .filter(({ id }) => id === SECTION.import)
    .flatMap(({ content }) => {
      const { u32, byte, name } = reader(content);
      return Array.from({ length: u32() }, () => {
        const entry = `${name()}.${name()} ${byte()}`;
        const limits = byte();
        u32();
        if (limits & 1) u32();
        return entry;
      });
    });
}

/** Exports as `name kind`. */
function exportsOf(sections: Section[]): string[] {
  return sections
    .filter(({ id }) => id === SECTION.export)
    .flatMap(({ content }) => {
      const { u32, byte, name } = reader(content);
      return Array.from({ length: u32() }, () => {
        const entry = `${name()} ${byte()}`;
        u32();
        return entry;
      });
    });
}

const types = ["I8", "U8", "I16", "U16"];
const EXPORTS = [
  "initConstants",
  "features",
  ...types.flatMap((type) => [`quantizeF32To${type}`, `quantizeF32To${type}PerChannel`]),
  ...types.flatMap((type) => [`dequantize${type}ToF32`, `dequantize${type}ToF32PerChannel`]),
  "fakeQuantizeF32",
  "fakeQuantizeF32PerChannel",
  "fakeQuantizeGradientF32",
  "fakeQuantizeGradientF32PerChannel",
  "minMaxF32",
  "minMaxF32PerChannel",
  "movingAverageF32",
  "observeFakeQuantizeF32",
  "foldBatchNormScaleF32",
  "foldBatchNormWeightsF32",
  "foldBatchNormWeightsF32PerChannel",
  "foldBatchNormBiasF32",
  "packBits",
  "unpackBits",
  ...TRAINING_EXPORTS,
].map((name) => `${name} 0`);

for (const build of ["simd", "debug"] as const) {
  describe(`train.${build}.wasm`, () => {
    const bytes = new Uint8Array(readFileSync(new URL(`../../dist/wasm/train.${build}.wasm`, import.meta.url)));
    const sections = sectionsOf(bytes);
    const has = (id: number): boolean => sections.some((section) => section.id === id);

    it("has no data segment and no start function", () => {
      assert.deepEqual([has(SECTION.data), has(SECTION.dataCount), has(SECTION.start)], [false, false, false]);
    });

    it("imports the memory and nothing else", () => {
      assert.deepEqual(importsOf(sections), ["env.memory 2"]);
    });

    it("exports the kernels, and the memory it was given", () => {
      assert.deepEqual(exportsOf(sections).sort(), [...EXPORTS, "memory 2"].sort());
    });

    it("keeps nothing: the one mutable global is the address of the constants", () => {
      const section = sections.find(({ id }) => id === SECTION.global);
      assert.notEqual(section, undefined);
      const { u32, byte } = reader(section?.content ?? new Uint8Array());
      const count = u32();
      const mutable: number[] = [];
      for (let i = 0; i < count; i++) {
        byte(); // value type
        mutable.push(byte());
        // Initialisers are constants: opcode, value, end. i32.const 0x41, i64.const 0x42, f32.const 0x43, f64.const 0x44.
        const opcode = byte();
        if (opcode === 0x41 || opcode === 0x42) u32();
        else for (let left = opcode === 0x43 ? 4 : 8; left > 0; left--) byte();
        assert.equal(byte(), 0x0b);
      }
      assert.equal(mutable.filter((flag) => flag === 1).length, 1, `of ${count} globals`);
    });

    it("size", (t) => {
      t.diagnostic(`train.${build}.wasm: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
      // The budget is for one build as shipped; the debug build carries names and assertions.
      if (build === "simd") assert.ok(bytes.length < 26 * 1024, `${bytes.length} bytes`);
      else assert.ok(bytes.length > 0);
    });
  });
}
