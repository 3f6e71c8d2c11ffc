import { initConstants } from "../../../assembly/core/constants";
import { dorefaWeightsF32 } from "../../../assembly/kernels/dorefa-weights";

// Variables, or the collector would take the memory away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));
const scratch = new StaticArray<u8>(112);
const at = changetype<usize>(scratch);

describe("dorefaWeights", () => {
  it("1 bit: the sign times the mean magnitude, blocks and tails, in place", () => {
    for (let n = 1; n <= 67; ++n) {
      const w = new StaticArray<f32>(68);
      for (let i = 0; i < 68; ++i) w[i] = (i & 1) == 0 ? 3 : -3;
      expect<i32>(dorefaWeightsF32(changetype<usize>(w), changetype<usize>(w), n, 1, at)).toBe(1);
      for (let i = 0; i < n; ++i) expect<f32>(w[i]).toBe((i & 1) == 0 ? 3 : -3);
      expect<f32>(w[67]).toBe(-3);
    }
  });

  it("by thresholds and by tanh: the ends are ±1, the middle goes up", () => {
    for (let bits = 2; bits <= 16; ++bits) {
      const w: StaticArray<f32> = [0.7, -0.7, 0, -0.0, 0.7];
      const out = new StaticArray<f32>(5);
      const step = <f32>1 / <f32>((1 << bits) - 1);
      expect<i32>(dorefaWeightsF32(changetype<usize>(w), changetype<usize>(out), 5, bits, at)).toBe(1);
      expect<f32>(out[0]).toBe(1);
      expect<f32>(out[1]).toBe(-1);
      expect<f32>(out[2]).toBe(step);
      expect<f32>(out[3]).toBe(step);
      expect<f32>(out[4]).toBe(1);
    }
  });

  it("only zeros give the upper of the middle codes; NaN is told", () => {
    const w = new StaticArray<f32>(7);
    expect<i32>(dorefaWeightsF32(changetype<usize>(w), changetype<usize>(w), 7, 2, at)).toBe(1);
    for (let i = 0; i < 7; ++i) expect<f32>(w[i]).toBe(<f32>1 / 3);
    w[5] = <f32>NaN;
    expect<i32>(dorefaWeightsF32(changetype<usize>(w), changetype<usize>(w), 7, 2, at)).toBe(0);
  });
});
