import { initConstants } from "../../../assembly/core/constants";
import { signActivationsF32 } from "../../../assembly/kernels/sign-activations";

// A variable, or the collector would take the block away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));

describe("signActivations", () => {
  it("1 from 0 on, -0 included, else -1; lanes and tails", () => {
    const values: StaticArray<f32> = [0, -0.0, 1e-45, -1e-45, 7, -7, <f32>NaN];
    const signs: StaticArray<f32> = [1, 1, 1, -1, 1, -1, -1];
    const x = new StaticArray<f32>(35);
    for (let i = 0; i < 35; ++i) x[i] = values[i % 7];
    const out = new StaticArray<f32>(36);
    for (let n = 0; n <= 35; ++n) {
      out.fill(77);
      signActivationsF32(changetype<usize>(x), changetype<usize>(out), n);
      for (let i = 0; i < n; ++i) expect<f32>(out[i]).toBe(signs[i % 7]);
      expect<f32>(out[n]).toBe(77);
    }
  });
});
