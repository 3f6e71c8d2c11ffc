import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { TRAINING_EXPORTS } from "../contracts/training-contract.js";
import { floatFunctions, reader, SECTION, type Section, sectionsOf } from "./wasm-sections.js";

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
const TRAIN_EXPORTS = [
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
];
const REQUANTIZATIONS = ["requantizeExact", "requantizeFloat32", "requantizeInteger", "requantizeTwice"];
/** Functions of the infer binary that compute in floating point; all others are integer. */
const FLOAT_FUNCTIONS = ["dequantizeF32", "quantizeF32", "requantizeFloat32"];
const INFER_EXPORTS = [
  ...["initConstants", "features", "runLayers", "dequantizeF32", "quantizeF32"],
  ...REQUANTIZATIONS,
];

/** Each binary with what it exports and the most bytes its simd build may take. */
const BINARIES = {
  train: { exported: TRAIN_EXPORTS, most: 26 * 1024 },
  infer: { exported: INFER_EXPORTS, most: 14 * 1024 },
};

for (const [name, build] of [
  ["train", "simd"],
  ["train", "debug"],
  ["infer", "simd"],
  ["infer", "debug"],
] as const) {
  const { exported, most } = BINARIES[name];
  describe(`${name}.${build}.wasm`, () => {
    const bytes = new Uint8Array(readFileSync(new URL(`../../dist/wasm/${name}.${build}.wasm`, import.meta.url)));
    const sections = sectionsOf(bytes);
    const has = (id: number): boolean => sections.some((section) => section.id === id);

    it("has no data segment and no start function", () => {
      assert.deepEqual([has(SECTION.data), has(SECTION.dataCount), has(SECTION.start)], [false, false, false]);
    });

    it("imports the memory and nothing else", () => {
      assert.deepEqual(importsOf(sections), ["env.memory 2"]);
    });

    it("exports the kernels, and the memory it was given", () => {
      assert.deepEqual(exportsOf(sections).sort(), [...exported.map((entry) => `${entry} 0`), "memory 2"].sort());
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
      t.diagnostic(`${name}.${build}.wasm: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
      // The budget is for one build as shipped; the debug build carries names and assertions.
      if (build === "simd") assert.ok(bytes.length < most, `${bytes.length} bytes`);
      else assert.ok(bytes.length > 0);
    });
  });
}

describe("floating point", () => {
  const read = (file: string): Section[] =>
    sectionsOf(new Uint8Array(readFileSync(new URL(`../../dist/wasm/${file}`, import.meta.url))));

  for (const build of ["simd", "debug"]) {
    it(`infer.${build}.wasm: the rule of float32 and the borders alone have an opcode of it`, () => {
      assert.deepEqual(floatFunctions(read(`infer.${build}.wasm`)).sort(), FLOAT_FUNCTIONS);
    });
  }

  it("is found where it is", () => {
    const found = floatFunctions(read("train.simd.wasm"));
    for (const name of ["quantizeF32ToU8", "dequantizeU16ToF32", "minMaxF32", "momentsF32", "movingAverageF32"]) {
      assert.ok(found.includes(name), name);
    }
    assert.ok(!found.includes("packBits") && !found.includes("features"));
  });
});
