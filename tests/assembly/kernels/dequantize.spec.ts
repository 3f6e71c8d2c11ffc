import { initConstants } from "../../../assembly/core/constants";
import { dequantizeI8ToF32, dequantizeU16ToF32PerChannel } from "../../../assembly/kernels/dequantize";

// A variable, or the collector would take the block away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));

describe("dequantize", () => {
  it("blocks and tails are (q - zeroPoint) * scale, and nothing is written behind them", () => {
    const q = new StaticArray<i8>(67);
    for (let i = 0; i < 67; ++i) q[i] = <i8>(i * 4 - 128);
    const out = new StaticArray<f32>(68);
    for (let n = 0; n <= 67; ++n) {
      out.fill(77);
      dequantizeI8ToF32(changetype<usize>(q), changetype<usize>(out), n, 0.1, -128);
      for (let i = 0; i < n; ++i) expect<f32>(out[i]).toBe(<f32>(<i32>q[i] + 128) * <f32>0.1);
      expect<f32>(out[n]).toBe(77);
    }
  });

  it("per channel, unsigned 16-bit codes keep their upper half", () => {
    const q = new StaticArray<u16>(35);
    q.fill(65535);
    const scale = new StaticArray<f32>(16);
    const zeroPoint = new StaticArray<i32>(16);
    for (let c = 0; c < 16; ++c) {
      scale[c] = <f32>(c + 1);
      zeroPoint[c] = c;
    }
    const out = new StaticArray<f32>(35);
    const s = changetype<usize>(scale);
    const z = changetype<usize>(zeroPoint);
    dequantizeU16ToF32PerChannel(changetype<usize>(q), changetype<usize>(out), 35, s, z, 16);
    for (let i = 0; i < 35; ++i) {
      const c = i & 15;
      expect<f32>(out[i]).toBe(<f32>(<i32>65535 - c) * <f32>(c + 1));
    }
  });
});
