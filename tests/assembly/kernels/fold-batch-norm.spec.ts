import {
  foldBatchNormBiasF32,
  foldBatchNormScaleF32,
  foldBatchNormWeightsF32,
  foldBatchNormWeightsF32PerChannel,
} from "../../../assembly/kernels/fold-batch-norm";

describe("foldBatchNorm", () => {
  it("scale: gamma over sigma; gamma 0 and variance 0 stay finite", () => {
    const gamma: StaticArray<f32> = [2, 0, -1];
    const variance: StaticArray<f32> = [3, 5, 0];
    const k = new StaticArray<f32>(3);
    foldBatchNormScaleF32(changetype<usize>(gamma), changetype<usize>(variance), 1, changetype<usize>(k), 3);
    expect<f32>(k[0]).toBe(1);
    expect<f32>(k[1]).toBe(0);
    expect<f32>(k[2]).toBe(-1);
  });

  it("weights: blocks and tails, one factor or a table", () => {
    const k = new StaticArray<f32>(16);
    for (let c = 0; c < 16; ++c) k[c] = <f32>c;
    const out = new StaticArray<f32>(68);
    for (let n = 0; n <= 67; ++n) {
      const weights = new StaticArray<f32>(67);
      for (let i = 0; i < 67; ++i) weights[i] = <f32>(i + 1);
      const ptr = changetype<usize>(weights);
      const to = changetype<usize>(out);
      out.fill(77);
      foldBatchNormWeightsF32PerChannel(ptr, to, n, changetype<usize>(k), 16);
      for (let i = 0; i < n; ++i) expect<f32>(out[i]).toBe(<f32>((i + 1) * (i & 15)));
      expect<f32>(out[n]).toBe(77);
      foldBatchNormWeightsF32(ptr, ptr, n, 3);
      for (let i = 0; i < 67; ++i) expect<f32>(weights[i]).toBe(<f32>(i < n ? i * 3 + 3 : i + 1));
    }
  });

  it("bias: (b - mean) * k + beta", () => {
    const bias: StaticArray<f32> = [5];
    const mean: StaticArray<f32> = [3];
    const k: StaticArray<f32> = [0.5];
    const beta: StaticArray<f32> = [-4];
    const at = changetype<usize>(bias);
    foldBatchNormBiasF32(at, changetype<usize>(mean), changetype<usize>(k), changetype<usize>(beta), at, 1);
    expect<f32>(bias[0]).toBe(-3);
  });
});
