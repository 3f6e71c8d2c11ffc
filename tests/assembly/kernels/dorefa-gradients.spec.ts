import { initConstants } from "../../../assembly/core/constants";
import { dorefaGradientsF32 } from "../../../assembly/kernels/dorefa-gradients";

// Variables, or the collector would take the memory away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));
const scratch = new StaticArray<u8>(32);
const at = changetype<usize>(scratch);

function filled(n: i32): StaticArray<f32> {
  const x = new StaticArray<f32>(n);
  for (let i = 0; i < n; ++i) x[i] = <f32>((i * 37) % 19) - 9;
  return x;
}

describe("dorefaGradients", () => {
  it("tails have the noise of their index: a longer sample with the same maximum begins alike", () => {
    const whole = filled(68);
    const ptr = changetype<usize>(whole);
    dorefaGradientsF32(ptr, ptr, 1, 68, 3, 1234, 5, at);
    for (let n = 19; n < 68; ++n) {
      const x = filled(68);
      expect<i32>(dorefaGradientsF32(changetype<usize>(x), changetype<usize>(x), 1, n, 3, 1234, 5, at)).toBe(1);
      for (let i = 0; i < n; ++i) expect<f32>(x[i]).toBe(whole[i]);
      expect<f32>(x[n]).toBe(filled(68)[n]);
    }
  });

  it("each sample has its own maximum; zeros stay zeros; ends stay as they are; NaN is told", () => {
    const x: StaticArray<f32> = [2, -2, 0, -0.0, 1e-20, -1e-20];
    const ptr = changetype<usize>(x);
    expect<i32>(dorefaGradientsF32(ptr, ptr, 3, 2, 1, 99, 0, at)).toBe(1);
    expect<f32>(x[0]).toBe(2);
    expect<f32>(x[1]).toBe(-2);
    expect<u32>(reinterpret<u32>(x[2])).toBe(0);
    expect<u32>(reinterpret<u32>(x[3])).toBe(0);
    expect<f32>(x[4]).toBe(1e-20);
    expect<f32>(x[5]).toBe(-1e-20);
    x[5] = <f32>NaN;
    expect<i32>(dorefaGradientsF32(ptr, ptr, 3, 2, 1, 99, 0, at)).toBe(0);
  });
});
