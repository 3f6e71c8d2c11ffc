import { depthwiseBackpropFilterF32 } from "../../../assembly/kernels/depthwise-backprop-filter";

const scratch = new StaticArray<f32>(64);

function run(x: StaticArray<f32>, dy: StaticArray<f32>, dw: StaticArray<f32>, geometry: StaticArray<i32>): void {
  scratch.fill(<f32>NaN);
  depthwiseBackpropFilterF32(
    changetype<usize>(x),
    changetype<usize>(dy),
    changetype<usize>(dw),
    changetype<usize>(geometry),
    changetype<usize>(scratch),
  );
}

describe("depthwiseBackpropFilter", () => {
  it("2 x 2 window over 2 x 3 pixels", () => {
    const x: StaticArray<f32> = [1, 2, 3, 4, 5, 6];
    const dy: StaticArray<f32> = [10, 1];
    const dw = new StaticArray<f32>(5);
    dw.fill(77);
    run(x, dy, dw, [1, 2, 3, 1, 1, 2, 1, 2, 2, 1, 1, 1, 1, 0, 0, 0]);
    expect<f32>(dw[0]).toBe(12);
    expect<f32>(dw[1]).toBe(23);
    expect<f32>(dw[2]).toBe(45);
    expect<f32>(dw[3]).toBe(56);
    expect<f32>(dw[4]).toBe(77);
  });

  it("multiplier 2, padding", () => {
    // Three taps over two pixels; the outer ones see one pixel each.
    const x: StaticArray<f32> = [3, 5];
    const dy: StaticArray<f32> = [10, 1, 100, 2];
    const dw = new StaticArray<f32>(6);
    run(x, dy, dw, [1, 1, 2, 1, 1, 2, 2, 1, 3, 1, 1, 1, 1, 0, 1, 0]);
    const expected: StaticArray<f32> = [300, 6, 530, 13, 50, 5];
    for (let i = 0; i < 6; ++i) expect<f32>(dw[i]).toBe(expected[i]);
  });

  it("blocks of 16, 4 and 1 channels, summed over images", () => {
    // Image 0 is c against 2, image 1 is 1 against 3.
    const x = new StaticArray<f32>(42);
    const dy = new StaticArray<f32>(42);
    for (let c = 0; c < 21; ++c) {
      x[c] = <f32>c;
      x[c + 21] = 1;
      dy[c] = 2;
      dy[c + 21] = 3;
    }
    const dw = new StaticArray<f32>(22);
    dw.fill(77);
    run(x, dy, dw, [2, 1, 1, 21, 1, 1, 21, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    for (let c = 0; c < 21; ++c) expect<f32>(dw[c]).toBe(<f32>(c * 2 + 3));
    expect<f32>(dw[21]).toBe(77);
  });
});
