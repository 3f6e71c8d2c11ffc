import { dorefaWeightsGradientF32 } from "../../../assembly/kernels/dorefa-weights-gradient";

const scratch = new StaticArray<u8>(128); // a variable, or the collector would take it away
const at = changetype<usize>(scratch);

describe("dorefaWeightsGradient", () => {
  it("lets a lone weight have none, and shares the maximum's term among equals", () => {
    for (let n = 2; n <= 67; ++n) {
      const w = new StaticArray<f32>(68);
      const dy = new StaticArray<f32>(68);
      const out = new StaticArray<f32>(68);
      w.fill(0.5);
      dy.fill(1);
      out.fill(77);
      w[n - 1] = -0.5;
      dorefaWeightsGradientF32(changetype<usize>(dy), changetype<usize>(w), changetype<usize>(out), n, at);
      // sum(dy tanh w) / T is n - 2; each of n takes its part, with its own sign.
      const d = out[0] / (1 - <f32>(n - 2) / <f32>n);
      if (n > 2) {
        for (let i = 0; i < n - 1; ++i) expect<f32>(out[i]).toBe(out[0]);
        expect<bool>(abs<f32>(out[n - 1] - d * (1 + <f32>(n - 2) / <f32>n)) < 1e-4).toBe(true);
      }
      expect<f32>(out[n]).toBe(77);
    }
  });

  it("only zeros give zeros; NaN in w is told", () => {
    const w = new StaticArray<f32>(5);
    const dy: StaticArray<f32> = [1, 2, 3, 4, 5];
    expect<i32>(
      dorefaWeightsGradientF32(changetype<usize>(dy), changetype<usize>(w), changetype<usize>(dy), 5, at),
    ).toBe(1);
    for (let i = 0; i < 5; ++i) expect<f32>(dy[i]).toBe(0);
    w[4] = <f32>NaN;
    expect<i32>(
      dorefaWeightsGradientF32(changetype<usize>(dy), changetype<usize>(w), changetype<usize>(dy), 5, at),
    ).toBe(0);
  });
});
