import { batchNormTrainGradientF32 } from "../../../assembly/kernels/batch-norm-train-gradient";

const scratch = new StaticArray<f32>(64);
const dgamma = new StaticArray<f32>(4);
const dbeta = new StaticArray<f32>(4);

function run(
  dy: StaticArray<f32>,
  x: StaticArray<f32>,
  gamma: StaticArray<f32>,
  mean: StaticArray<f32>,
  variance: StaticArray<f32>,
  dx: StaticArray<f32>,
  rows: i32,
  epsilon: f32,
): void {
  scratch.fill(<f32>NaN);
  dgamma.fill(77);
  dbeta.fill(77);
  batchNormTrainGradientF32(
    changetype<usize>(dy),
    changetype<usize>(x),
    changetype<usize>(gamma),
    changetype<usize>(mean),
    changetype<usize>(variance),
    changetype<usize>(dx),
    changetype<usize>(dgamma),
    changetype<usize>(dbeta),
    rows,
    gamma.length,
    epsilon,
    changetype<usize>(scratch),
  );
}

describe("batchNormTrainGradient", () => {
  it("two rows of one channel: mean 3, variance 4, sigma 4 with epsilon", () => {
    // dgamma = 8 * -2 / 4; dx = (dy - 8 / 2) - (x - 3) * (-4 / 4 / 2)
    const dx = new StaticArray<f32>(3);
    dx[2] = 77;
    run([8, 0], [1, 5], [4], [3], [4], dx, 2, 12);
    expect<f32>(dbeta[0]).toBe(8);
    expect<f32>(dgamma[0]).toBe(-4);
    expect<f32>(dbeta[1]).toBe(77);
    expect<f32>(dgamma[1]).toBe(77);
    expect<f32>(dx[0]).toBe(3);
    expect<f32>(dx[1]).toBe(-3);
    expect<f32>(dx[2]).toBe(77);
  });

  it("channels beside each other, blocks and tail, in place of dy; gamma 0 stops dx", () => {
    // Row r of channel c is 10c + r - 2: mean 10c, variance 2, sigma 2. All gradient comes from row 0.
    const x = new StaticArray<f32>(15);
    const dy = new StaticArray<f32>(16);
    for (let i = 0; i < 15; ++i) x[i] = <f32>((i % 3) * 10 + i / 3 - 2);
    for (let c = 0; c < 3; ++c) dy[c] = 5;
    dy[15] = 77;
    run(dy, x, [2, 0, -4], [0, 10, 20], [2, 2, 2], dy, 5, 2);
    const expected: StaticArray<f32> = [3, -1.5, -1, -0.5, 0];
    for (let c = 0; c < 3; ++c) {
      expect<f32>(dbeta[c]).toBe(5);
      expect<f32>(dgamma[c]).toBe(-5);
    }
    for (let r = 0; r < 5; ++r) {
      expect<f32>(dy[3 * r]).toBe(expected[r]);
      expect<bool>(dy[3 * r + 1] == 0).toBe(true);
      expect<bool>(dy[3 * r + 2] == -2 * expected[r]).toBe(true);
    }
    expect<f32>(dy[15]).toBe(77);
  });
});
