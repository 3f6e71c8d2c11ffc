import { initConstants, magicF32 } from "../../../assembly/core/constants";
import { tanhOf, writeTanhTable } from "../../../assembly/core/tanh";
import { unitCodes } from "../../../assembly/core/unit-codes";
import { writeUnitThresholds } from "../../../assembly/core/unit-thresholds";

// Variables, or the collector would take the memory away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));
const memoryOfTable = new StaticArray<u8>(64);
const table = changetype<usize>(memoryOfTable);
writeTanhTable(table);
const thresholds = new StaticArray<f32>(8);

function code(w: f32, limit: f32, bits: i32): i32 {
  const half = f32x4.splat(<f32>((1 << bits) - 1) / 2);
  return <i32>f32x4.extract_lane(unitCodes(f32x4.splat(w), f32x4.splat(limit), half, magicF32(), table), 0);
}

/** The float below. */
function below(x: f32): f32 {
  const bits = reinterpret<i32>(x);
  return bits == 0 ? reinterpret<f32>(0x80000001) : reinterpret<f32>(bits < 0 ? bits + 1 : bits - 1);
}

describe("writeUnitThresholds", () => {
  it("each threshold is the smallest float with its code", () => {
    const largest: StaticArray<f32> = [1e-45, 1e-30, 0.01, 0.7, 3, 20, 3.4e38];
    for (let i = 0; i < largest.length; ++i) {
      const limit = tanhOf(largest[i], table);
      for (let bits = 2; bits <= 3; ++bits) {
        writeUnitThresholds(changetype<usize>(thresholds), bits, reinterpret<i32>(largest[i]), limit, table);
        for (let j = 1; j < 1 << bits; ++j) {
          const threshold = thresholds[j - 1];
          expect<bool>(code(threshold, limit, bits) >= j).toBe(true);
          expect<bool>(code(below(threshold), limit, bits) < j).toBe(true);
        }
      }
    }
  });
});
