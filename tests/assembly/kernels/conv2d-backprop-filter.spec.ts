import { conv2dBackpropFilterF32 } from "../../../assembly/kernels/conv2d-backprop-filter";

const scratch = new StaticArray<f32>(512);

function run(x: StaticArray<f32>, dy: StaticArray<f32>, dw: StaticArray<f32>, geometry: StaticArray<i32>): void {
  scratch.fill(<f32>NaN);
  conv2dBackpropFilterF32(
    changetype<usize>(x),
    changetype<usize>(dy),
    changetype<usize>(dw),
    changetype<usize>(geometry),
    changetype<usize>(scratch),
  );
}

describe("conv2dBackpropFilter", () => {
  it("2 x 2 window over 2 x 3 pixels, one channel", () => {
    const x: StaticArray<f32> = [1, 2, 3, 4, 5, 6];
    const dy: StaticArray<f32> = [10, 1];
    const dw = new StaticArray<f32>(5);
    dw.fill(77);
    run(x, dy, dw, [1, 2, 3, 1, 1, 2, 1, 2, 2, 1, 1, 1, 1, 0, 0, 1]);
    expect<f32>(dw[0]).toBe(12);
    expect<f32>(dw[1]).toBe(23);
    expect<f32>(dw[2]).toBe(45);
    expect<f32>(dw[3]).toBe(56);
    expect<f32>(dw[4]).toBe(77);
  });

  it("padding counts as zeros", () => {
    const x: StaticArray<f32> = [1, 2];
    const dy: StaticArray<f32> = [10, 1];
    const dw = new StaticArray<f32>(3);
    run(x, dy, dw, [1, 1, 2, 1, 1, 2, 1, 1, 3, 1, 1, 1, 1, 0, 1, 1]);
    expect<f32>(dw[0]).toBe(1);
    expect<f32>(dw[1]).toBe(12);
    expect<f32>(dw[2]).toBe(20);
  });

  it("strides and dilations skip pixels", () => {
    // Output q reads columns 2q and 2q + 3.
    const x: StaticArray<f32> = [1, 2, 3, 4, 5, 6];
    const dy: StaticArray<f32> = [10, 1];
    const dw = new StaticArray<f32>(2);
    run(x, dy, dw, [1, 1, 6, 1, 1, 2, 1, 1, 2, 1, 2, 1, 3, 0, 0, 1]);
    expect<f32>(dw[0]).toBe(13);
    expect<f32>(dw[1]).toBe(46);
  });

  it("whole tiles, summed over rows, steps and images in dw itself", () => {
    // 2 images of 3 rows, two rows at a time: 6 pixels of c + 1 against o + 1.
    const x = new StaticArray<f32>(24);
    const dy = new StaticArray<f32>(48);
    for (let i = 0; i < 24; ++i) x[i] = <f32>((i & 3) + 1);
    for (let i = 0; i < 48; ++i) dy[i] = <f32>((i & 7) + 1);
    const dw = new StaticArray<f32>(33);
    dw.fill(77);
    run(x, dy, dw, [2, 3, 1, 4, 3, 1, 8, 1, 1, 1, 1, 1, 1, 0, 0, 2]);
    for (let i = 0; i < 32; ++i) expect<f32>(dw[i]).toBe(<f32>(((i >> 3) + 1) * ((i & 7) + 1) * 6));
    expect<f32>(dw[32]).toBe(77);
  });
});
