import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBfloat16, decodeFloat16 } from "../../src/core/float16.js";

const EVERY_CODE = Uint16Array.from({ length: 65536 }, (_, code) => code);

/** The value by the format's definition: exponent bits, mantissa bits and exponent bias. */
function defined(code: number, exponentBits: number, mantissaBits: number, bias: number): number {
  const sign = code >> 15 === 0 ? 1 : -1;
  const exponent = (code >> mantissaBits) & (2 ** exponentBits - 1);
  const fraction = (code & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * 2 ** (1 - bias) * fraction : sign * 2 ** (exponent - bias) * (1 + fraction);
}

/** What float32 a NaN code becomes: its sign and payload in front, zeros behind. */
function nanBits(code: number, mantissaBits: number): number {
  const payload = (code & (2 ** mantissaBits - 1)) << (23 - mantissaBits);
  return (((code & 0x8000) << 16) | 0x7f800000 | payload) >>> 0;
}

for (const { format, decode, exponentBits, mantissaBits, bias, nans } of [
  { format: "float16", decode: decodeFloat16, exponentBits: 5, mantissaBits: 10, bias: 15, nans: 2 * 1023 },
  { format: "bfloat16", decode: decodeBfloat16, exponentBits: 8, mantissaBits: 7, bias: 127, nans: 2 * 127 },
]) {
  test(`${format}: all 65 536 codes have the value the format defines, NaN payloads kept`, () => {
    const values = decode(EVERY_CODE);
    const bits = new Uint32Array(values.buffer);
    let seen = 0;
    for (let code = 0; code < 65536; code++) {
      const expected = defined(code, exponentBits, mantissaBits, bias);
      if (Number.isNaN(expected)) {
        seen++;
        assert.equal(bits[code], nanBits(code, mantissaBits), `code ${code}`);
      } else if (!Object.is(values[code], expected)) {
        assert.fail(`code ${code}: expected ${expected}, got ${values[code]}`);
      }
    }
    assert.equal(seen, nans);
  });
}

test("float16: landmarks", () => {
  const codes = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x3555);
  assert.deepEqual(
    [...decodeFloat16(codes)],
    [1, -2, 65504, 2 ** -14, 1023 * 2 ** -24, 2 ** -24, -0, Infinity, -Infinity, 0.333251953125],
  );
});

test("bfloat16: landmarks", () => {
  const codes = Uint16Array.of(0x3f80, 0xc000, 0x7f7f, 0x0080, 0x0001, 0x8000, 0x7f80);
  assert.deepEqual([...decodeBfloat16(codes)], [1, -2, 3.3895313892515355e38, 2 ** -126, 2 ** -133, -0, Infinity]);
});

test("empty arrays stay empty", () => {
  assert.deepEqual([decodeFloat16(new Uint16Array(0)).length, decodeBfloat16(new Uint16Array(0)).length], [0, 0]);
});
