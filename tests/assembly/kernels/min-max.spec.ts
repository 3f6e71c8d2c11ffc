import { minMaxF32, minMaxF32PerChannel } from "../../../assembly/kernels/min-max";

const out = new StaticArray<f32>(2);

describe("minMax", () => {
  it("finds the extremes wherever they stand", () => {
    for (let at = 0; at < 37; ++at) {
      const x = new StaticArray<f32>(37);
      x.fill(1);
      x[at] = -3;
      x[36 - at] = at == 18 ? -3 : 4;
      expect<i32>(minMaxF32(changetype<usize>(x), 37, changetype<usize>(out))).toBe(1);
      expect<f32>(out[0]).toBe(-3);
      expect<f32>(out[1]).toBe(at == 18 ? 1 : 4);
    }
  });

  it("zeros come out as +0", () => {
    const x = new StaticArray<f32>(17);
    x.fill(-0.0);
    expect<i32>(minMaxF32(changetype<usize>(x), 17, changetype<usize>(out))).toBe(1);
    expect<u32>(reinterpret<u32>(out[0])).toBe(0);
    expect<u32>(reinterpret<u32>(out[1])).toBe(0);
  });

  it("returns 0 for NaN or infinity, in blocks and in the tail", () => {
    const bad: StaticArray<f32> = [<f32>NaN, <f32>Infinity, <f32>-Infinity];
    const lo = new StaticArray<f32>(16);
    const hi = new StaticArray<f32>(16);
    for (let b = 0; b < 3; ++b) {
      for (let at = 0; at < 37; ++at) {
        const x = new StaticArray<f32>(37);
        x[at] = bad[b];
        const ptr = changetype<usize>(x);
        expect<i32>(minMaxF32(ptr, 37, changetype<usize>(out))).toBe(0);
        expect<i32>(minMaxF32PerChannel(ptr, 37, changetype<usize>(lo), changetype<usize>(hi), 16)).toBe(0);
      }
    }
  });

  it("per channel, widens running tables", () => {
    const x = new StaticArray<f32>(35);
    for (let i = 0; i < 35; ++i) x[i] = <f32>i;
    const lo = new StaticArray<f32>(16);
    const hi = new StaticArray<f32>(16);
    lo.fill(2);
    hi.fill(20);
    const status = minMaxF32PerChannel(changetype<usize>(x), 35, changetype<usize>(lo), changetype<usize>(hi), 16);
    expect<i32>(status).toBe(1);
    for (let c = 0; c < 16; ++c) {
      expect<f32>(lo[c]).toBe(<f32>min(c, 2));
      expect<f32>(hi[c]).toBe(c < 3 ? <f32>(c + 32) : <f32>max(c + 16, 20));
    }
  });
});
