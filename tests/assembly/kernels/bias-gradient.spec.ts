import { biasGradientF32 } from "../../../assembly/kernels/bias-gradient";

describe("biasGradient", () => {
  it("sums rows, blocks and tail, for 1 to 9 rows", () => {
    const scratch = new StaticArray<f32>(12);
    const dbias = new StaticArray<f32>(4);
    const dy = new StaticArray<f32>(27);
    for (let i = 0; i < 27; ++i) dy[i] = <f32>((i % 3) * 100 + i / 3);
    for (let rows = 1; rows <= 9; ++rows) {
      scratch.fill(<f32>NaN);
      dbias.fill(77);
      biasGradientF32(changetype<usize>(dy), changetype<usize>(dbias), rows, 3, changetype<usize>(scratch));
      for (let c = 0; c < 3; ++c) expect<f32>(dbias[c]).toBe(<f32>(c * 100 * rows + (rows * (rows - 1)) / 2));
      expect<f32>(dbias[3]).toBe(77);
    }
  });
});
