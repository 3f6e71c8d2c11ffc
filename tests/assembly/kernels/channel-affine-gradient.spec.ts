import { channelAffineGradientF32 } from "../../../assembly/kernels/channel-affine-gradient";

describe("channelAffineGradient", () => {
  it("channels beside each other, blocks and tail, in place of dy, for 1 to 9 rows", () => {
    const scratch = new StaticArray<f32>(36);
    const dscale = new StaticArray<f32>(4);
    const dshift = new StaticArray<f32>(4);
    const scale: StaticArray<f32> = [2, 0, -1];
    const x = new StaticArray<f32>(27);
    for (let i = 0; i < 27; ++i) x[i] = <f32>(i % 3) + 1;
    for (let rows = 1; rows <= 9; ++rows) {
      const n = rows * 3;
      const dy = new StaticArray<f32>(28);
      for (let i = 0; i < n; ++i) dy[i] = <f32>(i / 3 + 1);
      dy[n] = 77;
      scratch.fill(<f32>NaN);
      dscale.fill(77);
      dshift.fill(77);
      const at = changetype<usize>(dy);
      channelAffineGradientF32(
        at,
        changetype<usize>(x),
        changetype<usize>(scale),
        at,
        changetype<usize>(dscale),
        changetype<usize>(dshift),
        rows,
        3,
        changetype<usize>(scratch),
      );
      const sum = (rows * (rows + 1)) / 2;
      for (let c = 0; c < 3; ++c) {
        expect<f32>(dshift[c]).toBe(<f32>sum);
        expect<f32>(dscale[c]).toBe(<f32>(sum * (c + 1)));
        for (let r = 0; r < rows; ++r) expect<f32>(dy[3 * r + c]).toBe(<f32>(r + 1) * scale[c]);
      }
      expect<f32>(dscale[3]).toBe(77);
      expect<f32>(dshift[3]).toBe(77);
      expect<f32>(dy[n]).toBe(77);
    }
  });
});
