import { channelAffineF32 } from "../../../assembly/kernels/channel-affine";

describe("channelAffine", () => {
  it("channels beside each other, blocks and tail, in place, for 1 to 9 rows", () => {
    const scratch = new StaticArray<f32>(24);
    const scale: StaticArray<f32> = [2, 0, -1];
    const shift: StaticArray<f32> = [0.5, 7, 0];
    for (let rows = 1; rows <= 9; ++rows) {
      const n = rows * 3;
      const x = new StaticArray<f32>(28);
      for (let i = 0; i < n; ++i) x[i] = <f32>i;
      x[n] = 77;
      scratch.fill(<f32>NaN);
      const at = changetype<usize>(x);
      channelAffineF32(at, changetype<usize>(scale), changetype<usize>(shift), at, rows, 3, changetype<usize>(scratch));
      for (let i = 0; i < n; i += 3) {
        expect<f32>(x[i]).toBe(<f32>i * 2 + 0.5);
        expect<f32>(x[i + 1]).toBe(7);
        expect<f32>(x[i + 2]).toBe(<f32>(-i - 2));
      }
      expect<f32>(x[n]).toBe(77);
    }
  });
});
