import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { padCodes, sliceCodes, transposeCodes } from "../../src/reference/strided-codes.js";

const counting = (length: number): Int8Array => Int8Array.from({ length }, (_, i) => i);

describe("transposeCodes", () => {
  it("exchanges axes", () => {
    const out = new Int8Array(6);
    transposeCodes(counting(6), [2, 3], [1, 0], out);
    assert.deepEqual(out, Int8Array.of(0, 3, 1, 4, 2, 5));
  });

  it("out[i, j, k] = in[j, k, i] for [2, 0, 1]", () => {
    const out = new Int8Array(24);
    transposeCodes(counting(24), [2, 3, 4], [2, 0, 1], out);
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 2; j++) {
        for (let k = 0; k < 3; k++) assert.equal(out[(i * 2 + j) * 3 + k], (j * 3 + k) * 4 + i);
      }
    }
  });
});

describe("sliceCodes", () => {
  it("begins and steps along each axis", () => {
    const out = new Int8Array(4);
    sliceCodes(counting(15), [3, 5], { begin: [1, 0], strides: [1, 3] }, [2, 2], out);
    assert.deepEqual(out, Int8Array.of(5, 8, 10, 13));
  });
});

describe("padCodes", () => {
  it("surrounds with the zero point", () => {
    const out = new Int8Array(12);
    padCodes(
      Int8Array.of(1, 2, 3, 4),
      [2, 2],
      [
        [1, 0],
        [0, 2],
      ],
      -9,
      out,
    );
    assert.deepEqual(out, Int8Array.of(-9, -9, -9, -9, 1, 2, -9, -9, 3, 4, -9, -9));
  });

  it("copies where nothing is added", () => {
    const out = new Int8Array(4);
    padCodes(
      counting(4),
      [1, 4],
      [
        [0, 0],
        [0, 0],
      ],
      7,
      out,
    );
    assert.deepEqual(out, counting(4));
  });
});
