import { scaleOf, zeroPointOf } from "../../../assembly/core/quant-params";

describe("scaleOf", () => {
  it("affine: the extent over the grid's steps, rounded once", () => {
    expect<f32>(scaleOf(-1, 3, -128, 127, false)).toBe(<f32>(4.0 / 255.0));
    expect<f32>(scaleOf(2, 5, 0, 255, false)).toBe(<f32>(5.0 / 255.0));
  });

  it("symmetric: the larger end over qmax, or over half of the unsigned grid", () => {
    expect<f32>(scaleOf(-2, 1, -127, 127, true)).toBe(<f32>(2.0 / 127.0));
    expect<f32>(scaleOf(-2, 1, 0, 255, true)).toBe(<f32>(2.0 / 128.0));
    expect<f32>(scaleOf(-2, 1, 0, 1, true)).toBe(2);
  });

  it("1 for a range of only 0, the smallest normal for a tiny one, infinity for one too large", () => {
    expect<f32>(scaleOf(0, 0, -128, 127, false)).toBe(1);
    expect<f32>(scaleOf(0, 1e-45, -128, 127, false)).toBe(1.1754943508222875e-38);
    expect<f32>(scaleOf(-3e38, 3e38, -1, 0, false)).toBe(<f32>Infinity);
  });
});

describe("zeroPointOf", () => {
  it("comes from the rounded scale, ties to even, clamped to the grid", () => {
    expect<i32>(zeroPointOf(-0.5, 14.5, 1, 0, 15, false)).toBe(0);
    expect<i32>(zeroPointOf(-1.5, 13.5, 1, 0, 15, false)).toBe(2);
    expect<i32>(zeroPointOf(-5, -2, <f32>(5.0 / 255.0), 0, 255, false)).toBe(255);
  });

  it("symmetric grids have it in the middle; a range of only 0 has it at 0", () => {
    expect<i32>(zeroPointOf(-2, 1, 1, -127, 127, true)).toBe(0);
    expect<i32>(zeroPointOf(-2, 1, 1, 0, 255, true)).toBe(128);
    expect<i32>(zeroPointOf(0, 0, 1, 0, 255, true)).toBe(0);
  });
});
