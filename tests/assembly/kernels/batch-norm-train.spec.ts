import { batchNormTrainF32 } from "../../../assembly/kernels/batch-norm-train";

const scratch = new StaticArray<f32>(64);
const mean = new StaticArray<f32>(4);
const variance = new StaticArray<f32>(4);

function run(
  x: StaticArray<f32>,
  gamma: StaticArray<f32>,
  beta: StaticArray<f32>,
  y: StaticArray<f32>,
  rows: i32,
  epsilon: f32,
): void {
  scratch.fill(<f32>NaN);
  mean.fill(77);
  variance.fill(77);
  batchNormTrainF32(
    changetype<usize>(x),
    changetype<usize>(gamma),
    changetype<usize>(beta),
    changetype<usize>(y),
    changetype<usize>(mean),
    changetype<usize>(variance),
    rows,
    gamma.length,
    epsilon,
    changetype<usize>(scratch),
  );
}

describe("batchNormTrain", () => {
  it("two rows of one channel: mean 3, variance 4, sigma 4 with epsilon", () => {
    const y = new StaticArray<f32>(3);
    y[2] = 77;
    run([1, 5], [6], [0.5], y, 2, 12);
    expect<f32>(mean[0]).toBe(3);
    expect<f32>(variance[0]).toBe(4);
    expect<f32>(mean[1]).toBe(77);
    expect<f32>(variance[1]).toBe(77);
    expect<f32>(y[0]).toBe(-2.5);
    expect<f32>(y[1]).toBe(3.5);
    expect<f32>(y[2]).toBe(77);
  });

  it("channels beside each other, blocks and tail, in place; gamma 0 leaves beta", () => {
    // Row r of channel c is 10c + r - 2: mean 10c, variance 2, sigma 2.
    const x = new StaticArray<f32>(16);
    for (let i = 0; i < 15; ++i) x[i] = <f32>((i % 3) * 10 + i / 3 - 2);
    x[15] = 77;
    const gamma: StaticArray<f32> = [2, 0, -4];
    run(x, gamma, [0, 9, 1], x, 5, 2);
    for (let c = 0; c < 3; ++c) {
      expect<f32>(mean[c]).toBe(<f32>(c * 10));
      expect<f32>(variance[c]).toBe(2);
    }
    for (let r = 0; r < 5; ++r) {
      expect<f32>(x[3 * r]).toBe(<f32>(r - 2));
      expect<f32>(x[3 * r + 1]).toBe(9);
      expect<f32>(x[3 * r + 2]).toBe(<f32>(r * -2 + 5));
    }
    expect<f32>(x[15]).toBe(77);
  });
});
