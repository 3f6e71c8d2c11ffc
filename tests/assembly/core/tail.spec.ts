import { putTail, takeTail } from "../../../assembly/core/tail";

describe("takeTail, putTail", () => {
  it("carry up to three floats, with zeros behind them, and touch nothing else", () => {
    const from: StaticArray<f32> = [1, 2, 3, 4];
    for (let rest = 0; rest < 4; ++rest) {
      const slot = new StaticArray<f32>(4);
      slot.fill(9);
      takeTail(changetype<usize>(slot), changetype<usize>(from), rest);
      for (let i = 0; i < 4; ++i) expect<f32>(slot[i]).toBe(i < rest ? from[i] : 0);
      const to = new StaticArray<f32>(4);
      to.fill(9);
      putTail(changetype<usize>(to), changetype<usize>(slot), rest);
      for (let i = 0; i < 4; ++i) expect<f32>(to[i]).toBe(i < rest ? from[i] : 9);
    }
  });
});
