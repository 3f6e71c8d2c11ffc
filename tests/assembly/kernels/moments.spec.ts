import { momentsF32 } from "../../../assembly/kernels/moments";

const scratch = new StaticArray<f32>(24);
const mean = new StaticArray<f32>(4);
const variance = new StaticArray<f32>(4);

describe("moments", () => {
  it("channels beside each other, blocks and tail, for 1 to 9 rows", () => {
    for (let rows = 1; rows <= 9; ++rows) {
      // Channel c: 10c + 4 and 10c - 4 in turn; an odd row out is 10c.
      const x = new StaticArray<f32>(27);
      for (let i = 0; i < 3 * rows; ++i) {
        const row = i / 3;
        const last = (rows & 1) == 1 && row == rows - 1;
        x[i] = <f32>((i % 3) * 10 + (last ? 0 : row & 1 ? -4 : 4));
      }
      scratch.fill(<f32>NaN);
      mean.fill(77);
      variance.fill(77);
      momentsF32(
        changetype<usize>(x),
        changetype<usize>(mean),
        changetype<usize>(variance),
        rows,
        3,
        changetype<usize>(scratch),
      );
      for (let c = 0; c < 3; ++c) {
        expect<f32>(mean[c]).toBe(<f32>(c * 10));
        expect<f32>(variance[c]).toBe((<f32>(rows - (rows & 1)) * 16) / <f32>rows);
      }
      expect<f32>(mean[3]).toBe(77);
      expect<f32>(variance[3]).toBe(77);
    }
  });
});
