import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as reference from "../../src/reference/pack-bits.js";
import { packBits, unpackBits } from "../../src/wasm/pack-bits.js";
import { residentArray } from "../../src/wasm/resident-array.js";
import { assertSameBytes, guarded } from "./bytes.js";

const WIDTHS = [1, 2, 4] as const;

/** Codes of `bits` bits in an order without a short period. */
function codesOf(bits: number, length: number, signed: boolean): Int8Array | Uint8Array {
  const codes = signed ? new Int8Array(length) : new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const field = (i * i + 3 * i + (i >> 4)) & (2 ** bits - 1);
    codes[i] = signed && field >= 2 ** (bits - 1) ? field - 2 ** bits : field;
  }
  return codes;
}

function compare(codes: Int8Array | Uint8Array, bits: reference.PackedBits): void {
  const what = `${codes.constructor.name}, ${bits} bits, ${codes.length} codes`;
  const packed = new Uint8Array(reference.packedLength(codes.length, bits));
  reference.packBits(codes, bits, packed);
  const input = guarded(codes);
  assertSameBytes(packBits(input.array, bits), packed, `packBits, ${what}`);
  assertSameBytes(input.array, codes, `packBits changed its input, ${what}`);
  input.check(what);
  const bytes = guarded(packed);
  const options = { length: codes.length, signed: codes instanceof Int8Array };
  assertSameBytes(unpackBits(bytes.array, bits, options), codes, `unpackBits, ${what}`);
  assertSameBytes(bytes.array, packed, `unpackBits changed its input, ${what}`);
  bytes.check(what);
}

/** The part of the kernel contract about packing codes. */
export function packBitsContract(): void {
  describe("packBits, unpackBits", () => {
    it("lengths 0…67 at odd bytes, and several blocks, signed and unsigned", () => {
      const lengths = [...Array(68).keys(), 65_535, 65_536, 65_537, 131_079, 200_003];
      for (const bits of WIDTHS) {
        for (const length of lengths) {
          for (const signed of [false, true]) compare(codesOf(bits, length, signed), bits);
        }
      }
    });

    it("every byte unpacks to what the definition says", () => {
      const packed = Uint8Array.from({ length: 256 }, (_, i) => i);
      for (const bits of WIDTHS) {
        for (const signed of [false, true]) {
          const length = (256 * 8) / bits;
          const expected = signed ? new Int8Array(length) : new Uint8Array(length);
          reference.unpackBits(packed, bits, expected);
          assertSameBytes(unpackBits(packed, bits, { length, signed }), expected, `${bits} bits, signed ${signed}`);
        }
      }
    });

    it("unused high bits of the last byte are ignored by unpackBits", () => {
      assert.deepEqual(unpackBits(Uint8Array.of(0b1111_0101), 1, { length: 3, signed: false }), Uint8Array.of(1, 0, 1));
      assert.deepEqual(unpackBits(Uint8Array.of(0xf7), 4, { length: 1, signed: true }), Int8Array.of(7));
    });

    it("refuses each code that does not fit, wherever it stands", () => {
      for (const bits of WIDTHS) {
        for (const signed of [false, true]) {
          const [lo, hi] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
          for (const at of [0, 15, 16, 30, 34, 65_540]) {
            for (const code of signed ? [lo - 1, hi + 1, -128, 127] : [hi + 1, 128, 255]) {
              const codes = codesOf(bits, at < 40 ? 35 : 70_000, signed);
              codes[at] = code;
              assert.throws(() => packBits(codes, bits), {
                name: "RangeError",
                message: `packBits: expected codes in [${lo}, ${hi}], got ${code} at index ${at}`,
              });
            }
          }
        }
      }
    });

    it("resident codes and bytes", () => {
      for (const bits of WIDTHS) {
        const codes = codesOf(bits, 70_001, true);
        const resident = residentArray("int8", codes.length);
        resident.array.set(codes);
        const packed = packBits(resident.array, bits);
        const bytes = residentArray("uint8", packed.length);
        bytes.array.set(packed);
        assertSameBytes(unpackBits(bytes.array, bits, { length: codes.length, signed: true }), codes, `${bits} bits`);
        resident.dispose();
        bytes.dispose();
      }
    });

    it("any codes", () => {
      fc.assert(
        fc.property(fc.constantFrom(...WIDTHS), fc.boolean(), fc.array(fc.nat(15)), (bits, signed, fields) => {
          const wrapped = fields.map((field) => field & (2 ** bits - 1));
          compare(
            signed
              ? Int8Array.from(wrapped, (field) => (field >= 2 ** (bits - 1) ? field - 2 ** bits : field))
              : Uint8Array.from(wrapped),
            bits,
          );
        }),
      );
    });
  });
}
