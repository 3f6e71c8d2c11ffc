import { conv2dBackpropInputF32 } from "../../../assembly/kernels/conv2d-backprop-input";

const scratch = new StaticArray<f32>(512);

function run(dy: StaticArray<f32>, w: StaticArray<f32>, dx: StaticArray<f32>, geometry: StaticArray<i32>): void {
  scratch.fill(<f32>NaN);
  conv2dBackpropInputF32(
    changetype<usize>(dy),
    changetype<usize>(w),
    changetype<usize>(dx),
    changetype<usize>(geometry),
    changetype<usize>(scratch),
  );
}

describe("conv2dBackpropInput", () => {
  it("2 x 2 window over 2 x 3 pixels, one channel", () => {
    const dy: StaticArray<f32> = [10, 1];
    const w: StaticArray<f32> = [1, 2, 3, 4];
    const dx = new StaticArray<f32>(7);
    dx.fill(77);
    run(dy, w, dx, [1, 2, 3, 1, 1, 2, 1, 2, 2, 1, 1, 1, 1, 0, 0, 0]);
    expect<f32>(dx[0]).toBe(10);
    expect<f32>(dx[1]).toBe(21);
    expect<f32>(dx[2]).toBe(2);
    expect<f32>(dx[3]).toBe(30);
    expect<f32>(dx[4]).toBe(43);
    expect<f32>(dx[5]).toBe(4);
    expect<f32>(dx[6]).toBe(77);
  });

  it("gradients that fall on padding are dropped", () => {
    const dy: StaticArray<f32> = [10, 1];
    const w: StaticArray<f32> = [1, 2, 3];
    const dx = new StaticArray<f32>(2);
    run(dy, w, dx, [1, 1, 2, 1, 1, 2, 1, 1, 3, 1, 1, 1, 1, 0, 1, 0]);
    expect<f32>(dx[0]).toBe(21);
    expect<f32>(dx[1]).toBe(32);
  });

  it("pixels that no window reads get 0", () => {
    // Output q reads columns 2q and 2q + 3.
    const dy: StaticArray<f32> = [10, 1];
    const w: StaticArray<f32> = [3, 5];
    const dx = new StaticArray<f32>(7);
    dx.fill(77);
    run(dy, w, dx, [1, 1, 7, 1, 1, 2, 1, 1, 2, 1, 2, 1, 3, 0, 0, 0]);
    const expected: StaticArray<f32> = [30, 0, 3, 50, 0, 5, 0];
    for (let i = 0; i < 7; ++i) expect<f32>(dx[i]).toBe(expected[i]);
  });

  it("whole tiles in dx itself; the last group of an image is short", () => {
    // 2 images of 5 pixels, two outputs: dx[p, c] = ((p + 1) + 2 (p + 1)) * (c + 1).
    const dy = new StaticArray<f32>(20);
    const w = new StaticArray<f32>(16);
    for (let i = 0; i < 20; ++i) dy[i] = <f32>(((i >> 1) + 1) * ((i & 1) + 1));
    for (let i = 0; i < 16; ++i) w[i] = <f32>((i >> 1) + 1);
    const dx = new StaticArray<f32>(81);
    dx.fill(77);
    run(dy, w, dx, [2, 1, 5, 8, 1, 5, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    for (let i = 0; i < 80; ++i) expect<f32>(dx[i]).toBe(<f32>(((i >> 3) + 1) * ((i & 7) + 1) * 3));
    expect<f32>(dx[80]).toBe(77);
  });
});
