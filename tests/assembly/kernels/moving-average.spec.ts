import { movingAverage, movingAverageF32 } from "../../../assembly/kernels/moving-average";

describe("movingAverage", () => {
  it("computes in float64 and rounds once", () => {
    expect<f32>(movingAverage(1, 3, 0.99)).toBe(<f32>(0.99 + (1.0 - 0.99) * 3.0));
    expect<f32>(movingAverage(5, -2, 0)).toBe(-2);
  });

  it("updates every entry of the state and no other", () => {
    const state: StaticArray<f32> = [1, 2, 3, 77];
    const batch: StaticArray<f32> = [3, 2, 1, 0];
    movingAverageF32(changetype<usize>(state), changetype<usize>(batch), 3, 0.5);
    expect<f32>(state[0]).toBe(2);
    expect<f32>(state[1]).toBe(2);
    expect<f32>(state[2]).toBe(2);
    expect<f32>(state[3]).toBe(77);
  });
});
