import {
  fakeQuantizeGradientF32,
  fakeQuantizeGradientF32PerChannel,
} from "../../../assembly/kernels/fake-quantize-gradient";

describe("fakeQuantizeGradient", () => {
  it("passes dy within both bounds, ends included; NaN stops it", () => {
    const x = new StaticArray<f32>(67);
    const dy = new StaticArray<f32>(67);
    for (let i = 0; i < 67; ++i) {
      x[i] = <f32>i;
      dy[i] = <f32>(i + 1);
    }
    x[30] = <f32>NaN;
    x[65] = <f32>NaN;
    const out = new StaticArray<f32>(68);
    for (let n = 0; n <= 67; ++n) {
      out.fill(77);
      fakeQuantizeGradientF32(changetype<usize>(dy), changetype<usize>(x), changetype<usize>(out), n, 10, 64);
      for (let i = 0; i < n; ++i) expect<f32>(out[i]).toBe(i >= 10 && i <= 64 && i != 30 ? dy[i] : 0);
      expect<f32>(out[n]).toBe(77);
    }
  });

  it("per channel, the bounds repeat after their period", () => {
    const x = new StaticArray<f32>(35);
    x.fill(5);
    const lo = new StaticArray<f32>(16);
    const hi = new StaticArray<f32>(16);
    for (let c = 0; c < 16; ++c) {
      lo[c] = <f32>c;
      hi[c] = 9;
    }
    const out = new StaticArray<f32>(35);
    const ptr = changetype<usize>(x);
    const bounds = changetype<usize>(lo);
    fakeQuantizeGradientF32PerChannel(ptr, ptr, changetype<usize>(out), 35, bounds, changetype<usize>(hi), 16);
    for (let i = 0; i < 35; ++i) expect<f32>(out[i]).toBe((i & 15) <= 5 ? 5 : 0);
  });
});
