import { clipGradientF32 } from "../../../assembly/kernels/clip-gradient";

describe("clipGradient", () => {
  it("ReLU6: nothing at 0, all at 6; blocks and tails", () => {
    const ends: StaticArray<f32> = [-1, -0.0, 0, 1e-45, 3, 6, 6.0000005, <f32>NaN];
    const passes: StaticArray<bool> = [false, false, false, true, true, true, false, false];
    const x = new StaticArray<f32>(67);
    const dy = new StaticArray<f32>(67);
    for (let i = 0; i < 67; ++i) {
      x[i] = ends[i & 7];
      dy[i] = <f32>(i + 1);
    }
    const out = new StaticArray<f32>(68);
    for (let n = 0; n <= 67; ++n) {
      out.fill(77);
      clipGradientF32(changetype<usize>(dy), changetype<usize>(x), changetype<usize>(out), n, 0, 6);
      for (let i = 0; i < n; ++i) expect<f32>(out[i]).toBe(passes[i & 7] ? dy[i] : 0);
      expect<f32>(out[n]).toBe(77);
    }
  });

  it("ReLU passes infinity; a lower end on either side of 0 is left out itself", () => {
    const dy: StaticArray<f32> = [5, 5, 5, 5];
    const x: StaticArray<f32> = [<f32>Infinity, 0, -1.5, -1.4999999];
    const out = new StaticArray<f32>(4);
    clipGradientF32(changetype<usize>(dy), changetype<usize>(x), changetype<usize>(out), 4, 0, <f32>Infinity);
    expect<f32>(out[0]).toBe(5);
    expect<f32>(out[1]).toBe(0);
    clipGradientF32(changetype<usize>(dy), changetype<usize>(x), changetype<usize>(out), 4, -1.5, 0);
    expect<f32>(out[0]).toBe(0);
    expect<f32>(out[1]).toBe(5);
    expect<f32>(out[2]).toBe(0);
    expect<f32>(out[3]).toBe(5);
  });
});
