import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { fakeQuantize, init, memoryUsage, type ResidentTypes, residentArray } from "../../src/index.js";

for (const build of ["simd", "reference"] as const) {
  describe(`residentArray, ${build}`, () => {
    beforeEach(() => init({ build }));

    it("is an array of zeros of the type asked for, again after it was used and freed", () => {
      for (let round = 0; round < 2; round++) {
        for (const type of ["float32", "int8", "uint8", "int16", "uint16"] as const) {
          const resident = residentArray(type, 37);
          assert.equal(resident.array.constructor.name.toLowerCase(), `${type}array`);
          assert.deepEqual([...resident.array], Array(37).fill(0));
          resident.array.fill(3);
          resident.dispose();
        }
      }
      assert.equal(memoryUsage().residentBytes, 0);
    });

    it("is the same array until memory grows, and keeps its values then", () => {
      const small = residentArray("float32", 4);
      small.array.set([1, 2, 3, 4]);
      assert.equal(small.array, small.array);
      const large = residentArray("float32", 1_000_000);
      assert.deepEqual([...small.array], [1, 2, 3, 4]);
      assert.equal(large.array.length, 1_000_000);
      small.dispose();
      large.dispose();
    });

    it("cannot be read after dispose; a second dispose does nothing", () => {
      const resident = residentArray("int8", 4);
      resident.dispose();
      const other = residentArray("int8", 4);
      resident.dispose();
      assert.throws(() => resident.array, { message: "residentArray: expected a live array, got a disposed one" });
      assert.deepEqual([...other.array], [0, 0, 0, 0]);
      other.dispose();
    });

    it("refuses unknown types and bad lengths", () => {
      assert.throws(() => residentArray("float64" as keyof ResidentTypes, 1), {
        name: "TypeError",
        message: "residentArray: expected one of float32, int8, uint8, int16, uint16, got float64",
      });
      for (const length of [-1, 1.5, Number.NaN]) {
        assert.throws(() => residentArray("int8", length), {
          name: "RangeError",
          message: `residentArray: expected length ≥ 0, got ${length}`,
        });
      }
    });
  });
}

describe("residentArray and a second init", () => {
  it("an array of an earlier memory keeps its values and is copied like any other", async () => {
    await init({ build: "simd" });
    const resident = residentArray("float32", 3);
    resident.array.set([0.6, -1, 9]);
    await init({ build: "simd" });
    const params = { scale: 0.5, zeroPoint: 0, qmin: -3, qmax: 3 };
    assert.deepEqual(fakeQuantize(resident.array, params, { out: resident.array }), Float32Array.of(0.5, -1, 1.5));
    resident.dispose();
    assert.equal(memoryUsage().residentBytes, 0);
  });
});

describe("memoryUsage", () => {
  it("counts residents; it is zero where no WebAssembly is at work", async () => {
    await init({ build: "simd" });
    const resident = residentArray("float32", 5);
    assert.equal(memoryUsage().residentBytes, 32);
    resident.dispose();
    assert.equal(memoryUsage().residentBytes, 0);
    await init({ build: "reference" });
    residentArray("float32", 5);
    assert.deepEqual(memoryUsage(), { totalBytes: 0, residentBytes: 0, peakBytes: 0 });
  });
});
