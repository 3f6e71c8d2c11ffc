import { initConstants } from "../../../assembly/core/constants";
import { code } from "../../../assembly/core/rounding";
import { fakeQuantizeF32, fakeQuantizeF32PerChannel } from "../../../assembly/kernels/fake-quantize";

// A variable, or the collector would take the block away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));

function input(): StaticArray<f32> {
  const x = new StaticArray<f32>(68);
  for (let i = 0; i < 68; ++i) x[i] = <f32>(i - 33) * 0.25;
  x[0] = <f32>NaN;
  x[40] = <f32>NaN;
  return x;
}

describe("fakeQuantize", () => {
  it("in place, blocks and tails are the code's real value; NaN gives 0", () => {
    for (let n = 0; n <= 67; ++n) {
      const expected = input();
      const x = input();
      fakeQuantizeF32(changetype<usize>(x), changetype<usize>(x), n, 0.5, 2, -8, 7);
      for (let i = 0; i < n; ++i) {
        expect<f32>(x[i]).toBe(<f32>(code(expected[i], 0.5, 2, -8, 7) - 2) * <f32>0.5);
      }
      expect<f32>(x[67]).toBe(expected[67]);
    }
    expect<i32>(code(input()[0], 0.5, 2, -8, 7)).toBe(2);
  });

  it("never gives -0", () => {
    const x = new StaticArray<f32>(17);
    x.fill(-0.1);
    fakeQuantizeF32(changetype<usize>(x), changetype<usize>(x), 17, 0.5, 0, -8, 7);
    expect<u32>(reinterpret<u32>(x[0])).toBe(0);
    expect<u32>(reinterpret<u32>(x[16])).toBe(0);
  });

  it("per channel, the tables repeat after their period", () => {
    const scale = new StaticArray<f32>(32);
    const zeroPoint = new StaticArray<i32>(32);
    for (let c = 0; c < 32; ++c) {
      scale[c] = <f32>(c + 1) * 0.1;
      zeroPoint[c] = c % 16 - 8;
    }
    const expected = input();
    const x = input();
    const ptr = changetype<usize>(x);
    fakeQuantizeF32PerChannel(ptr, ptr, 67, changetype<usize>(scale), changetype<usize>(zeroPoint), 32, -8, 7);
    for (let i = 0; i < 67; ++i) {
      const s = scale[i & 31];
      const z = zeroPoint[i & 31];
      expect<f32>(x[i]).toBe(<f32>(code(expected[i], s, z, -8, 7) - z) * s);
    }
  });
});
