import { initConstants } from "../../../assembly/core/constants";
import { code } from "../../../assembly/core/rounding";
import {
  quantizeF32ToI16PerChannel,
  quantizeF32ToI8,
  quantizeF32ToU16,
  quantizeF32ToU8,
} from "../../../assembly/kernels/quantize";

// A variable, or the collector would take the block away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));

const x = new StaticArray<f32>(67);
for (let i = 0; i < 67; ++i) x[i] = <f32>(i - 33) * 0.5; // ties and integers
x[5] = <f32>NaN;
x[20] = <f32>Infinity;
x[66] = <f32>-Infinity;

describe("quantize", () => {
  it("blocks and tails equal code(), and nothing is written behind them", () => {
    const q = new StaticArray<i8>(68);
    for (let n = 0; n <= 67; ++n) {
      memory.fill(changetype<usize>(q), 77, 68);
      quantizeF32ToI8(changetype<usize>(x), changetype<usize>(q), n, 1, 3, -16, 15);
      for (let i = 0; i < n; ++i) expect<i32>(q[i]).toBe(code(x[i], 1, 3, -16, 15));
      expect<i8>(q[n]).toBe(77);
    }
  });

  it("unsigned codes use all bits of their type", () => {
    const q = new StaticArray<u8>(16);
    const wide = new StaticArray<u16>(16);
    const big = new StaticArray<f32>(16);
    big.fill(1e6);
    quantizeF32ToU8(changetype<usize>(big), changetype<usize>(q), 16, 1, 0, 0, 255);
    quantizeF32ToU16(changetype<usize>(big), changetype<usize>(wide), 16, 1, 0, 0, 65535);
    expect<u8>(q[15]).toBe(255);
    expect<u16>(wide[15]).toBe(65535);
  });

  it("per channel, the tables repeat after their period", () => {
    const scale = new StaticArray<f32>(16);
    const zeroPoint = new StaticArray<i32>(16);
    for (let c = 0; c < 16; ++c) {
      scale[c] = <f32>(c + 1);
      zeroPoint[c] = c * 100 - 800;
    }
    const q = new StaticArray<i16>(67);
    quantizeF32ToI16PerChannel(
      changetype<usize>(x),
      changetype<usize>(q),
      67,
      changetype<usize>(scale),
      changetype<usize>(zeroPoint),
      16,
      -32768,
      32767,
    );
    for (let i = 0; i < 67; ++i) {
      expect<i32>(q[i]).toBe(code(x[i], scale[i & 15], zeroPoint[i & 15], -32768, 32767));
    }
  });
});
