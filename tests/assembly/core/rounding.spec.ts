import { beyondCodes, magicBits, initConstants, magicF32 } from "../../../assembly/core/constants";
import { code, codeLanes, roundedLanes } from "../../../assembly/core/rounding";

// A variable, or the collector would take the block away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));

describe("code", () => {
  it("rounds ties to even before the zero point is added", () => {
    expect<i32>(code(0.5, 1, 0, -128, 127)).toBe(0);
    expect<i32>(code(1.5, 1, 0, -128, 127)).toBe(2);
    expect<i32>(code(-2.5, 1, 0, -128, 127)).toBe(-2);
    expect<i32>(code(0.5, 1, 3, -128, 127)).toBe(3);
    expect<i32>(code(2.5, 1, 3, -128, 127)).toBe(5);
  });

  it("saturates, infinities too", () => {
    expect<i32>(code(1000, 1, 0, -128, 127)).toBe(127);
    expect<i32>(code(<f32>Infinity, 0.1, 5, -128, 127)).toBe(127);
    expect<i32>(code(<f32>-Infinity, 0.1, 5, -128, 127)).toBe(-128);
    expect<i32>(code(3e38, 1e-38, 65535, 0, 65535)).toBe(65535);
  });

  it("gives NaN the zero point", () => {
    expect<i32>(code(<f32>NaN, 1, -7, -128, 127)).toBe(-7);
  });
});

describe("roundedLanes", () => {
  it("gives codes minus the zero point over 1.5 * 2^23: ties to even, NaN 0, clamped", () => {
    const x = f32x4(0.5, 1.5, <f32>NaN, 1000);
    const lanes = roundedLanes(x, f32x4.splat(1), f32x4.splat(-8), f32x4.splat(7), magicF32());
    const codes = f32x4.sub(lanes, magicF32());
    expect<f32>(f32x4.extract_lane(codes, 0)).toBe(0);
    expect<f32>(f32x4.extract_lane(codes, 1)).toBe(2);
    expect<f32>(f32x4.extract_lane(codes, 2)).toBe(0);
    expect<f32>(f32x4.extract_lane(codes, 3)).toBe(7);
  });
});

describe("codeLanes", () => {
  it("equals code() in every lane", () => {
    const zero = i32x4(0, -3, 65535, 100);
    const scale = f32x4(0.1, 1, 1e-38, 3e38);
    const inputs: StaticArray<f32> = [0.25, -2.5, 3e38, -3e38, <f32>NaN, <f32>-Infinity, 12345.5];
    for (let i = 0; i < inputs.length; ++i) {
      const x = f32x4.splat(inputs[i]);
      const q = codeLanes(
        x,
        scale,
        zero,
        i32x4.splat(-70000),
        i32x4.splat(70000),
        beyondCodes(),
        magicF32(),
        magicBits(),
      );
      expect<i32>(i32x4.extract_lane(q, 0)).toBe(code(inputs[i], 0.1, 0, -70000, 70000));
      expect<i32>(i32x4.extract_lane(q, 1)).toBe(code(inputs[i], 1, -3, -70000, 70000));
      expect<i32>(i32x4.extract_lane(q, 2)).toBe(code(inputs[i], 1e-38, 65535, -70000, 70000));
      expect<i32>(i32x4.extract_lane(q, 3)).toBe(code(inputs[i], 3e38, 100, -70000, 70000));
    }
  });
});
