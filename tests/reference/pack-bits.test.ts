import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { packBits, packedLength, unpackBits } from "../../src/reference/pack-bits.js";

describe("reference packBits, unpackBits", () => {
  it("the first code is in the lowest bits; unused bits are 0", () => {
    const out = new Uint8Array(2).fill(255);
    packBits(Uint8Array.of(1, 2, 3), 4, out);
    assert.deepEqual([...out], [0x21, 0x03]);
    packBits(Uint8Array.of(0, 1, 2, 3, 1), 2, out);
    assert.deepEqual([...out], [0b11_10_01_00, 0b01]);
    packBits(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1, 1), 1, out);
    assert.deepEqual([...out], [0b1000_0001, 1]);
  });

  it("signed codes keep their two's complement bits, and come back with their sign", () => {
    const packed = new Uint8Array(1);
    packBits(Int8Array.of(-1, -8), 4, packed);
    assert.deepEqual([...packed], [0x8f]);
    const codes = new Int8Array(2);
    unpackBits(packed, 4, codes);
    assert.deepEqual([...codes], [-1, -8]);
    const bits = new Int8Array(3);
    unpackBits(Uint8Array.of(0b101), 1, bits);
    assert.deepEqual([...bits], [-1, 0, -1]);
  });

  it("needs ⌈length·bits/8⌉ bytes", () => {
    assert.deepEqual(
      [packedLength(0, 4), packedLength(1, 1), packedLength(9, 1), packedLength(5, 2), packedLength(3, 4)],
      [0, 1, 2, 2, 2],
    );
  });
});
