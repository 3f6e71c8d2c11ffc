import { maxPoolGradientF32 } from "../../../assembly/kernels/max-pool-gradient";

const NONE = -(<f32>Infinity);

function run(dy: StaticArray<f32>, x: StaticArray<f32>, dx: StaticArray<f32>, geometry: StaticArray<i32>): void {
  dx.fill(77);
  maxPoolGradientF32(changetype<usize>(dy), changetype<usize>(x), changetype<usize>(dx), changetype<usize>(geometry));
}

/** Index of the winner of one 2 x 2 window, in a block and in the tail of five channels; -1 when there is none. */
function winner(values: StaticArray<f32>): i32 {
  const x = new StaticArray<f32>(20);
  for (let i = 0; i < 20; ++i) x[i] = values[i / 5];
  const dx = new StaticArray<f32>(21);
  run([1, 2, 3, 4, 5], x, dx, [1, 2, 2, 5, 1, 1, 5, 2, 2, 2, 2, 1, 1, 0, 0, 0]);
  let found = -1;
  for (let at = 0; at < 4; ++at) if (dx[5 * at] != 0) found = at;
  for (let i = 0; i < 20; ++i) expect<f32>(dx[i]).toBe(i / 5 == found ? <f32>((i % 5) + 1) : 0);
  expect<f32>(dx[20]).toBe(77);
  return found;
}

describe("maxPoolGradient", () => {
  it("gives the gradient to the greatest, of equal ones to the first", () => {
    expect<i32>(winner([1, 2, 4, 3])).toBe(2);
    expect<i32>(winner([-4, -2, -3, -1])).toBe(3);
    expect<i32>(winner([1, 2, 2, 2])).toBe(1);
    expect<i32>(winner([0, -0.0, 0, -0.0])).toBe(0);
  });

  it("NaN never wins, and beside -Infinity nothing does", () => {
    expect<i32>(winner([<f32>NaN, -3, <f32>NaN, -4])).toBe(1);
    expect<i32>(winner([<f32>NaN, NONE, NONE, <f32>NaN])).toBe(-1);
  });

  it("an element that wins several windows gets the sum; padding takes no part", () => {
    // Windows of two over a padded row of three: (pad, -1) (-1, 3) (3, 2).
    const dx = new StaticArray<f32>(3);
    run([2, 5, 7], [-1, 3, 2], dx, [1, 1, 3, 1, 1, 3, 1, 1, 2, 1, 1, 1, 1, 0, 1, 0]);
    expect<f32>(dx[0]).toBe(2);
    expect<f32>(dx[1]).toBe(12);
    expect<f32>(dx[2]).toBe(0);
  });
});
