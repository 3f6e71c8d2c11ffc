import { depthwiseBackpropInputF32 } from "../../../assembly/kernels/depthwise-backprop-input";

const scratch = new StaticArray<f32>(64);

function run(dy: StaticArray<f32>, w: StaticArray<f32>, dx: StaticArray<f32>, geometry: StaticArray<i32>): void {
  scratch.fill(<f32>NaN);
  depthwiseBackpropInputF32(
    changetype<usize>(dy),
    changetype<usize>(w),
    changetype<usize>(dx),
    changetype<usize>(geometry),
    changetype<usize>(scratch),
  );
}

describe("depthwiseBackpropInput", () => {
  it("2 x 2 window over 2 x 3 pixels", () => {
    const dy: StaticArray<f32> = [10, 1];
    const w: StaticArray<f32> = [1, 2, 3, 4];
    const dx = new StaticArray<f32>(7);
    dx.fill(77);
    run(dy, w, dx, [1, 2, 3, 1, 1, 2, 1, 2, 2, 1, 1, 1, 1, 0, 0, 0]);
    const expected: StaticArray<f32> = [10, 21, 2, 30, 43, 4, 77];
    for (let i = 0; i < 7; ++i) expect<f32>(dx[i]).toBe(expected[i]);
  });

  it("multiplier 2, padding", () => {
    // dx[x] is the sum over taps j and multiples m of dy[x + 1 - j, m] * w[j, m].
    const dy: StaticArray<f32> = [10, 1, 100, 2];
    const w: StaticArray<f32> = [1, 2, 3, 4, 5, 6];
    const dx = new StaticArray<f32>(2);
    run(dy, w, dx, [1, 1, 2, 1, 1, 2, 2, 1, 3, 1, 1, 1, 1, 0, 1, 0]);
    expect<f32>(dx[0]).toBe(138); // 100 + 4 + 30 + 4
    expect<f32>(dx[1]).toBe(364); // 300 + 8 + 50 + 6
  });

  it("blocks of 8, 4 and 1 channels; pixels between strides get 0", () => {
    const dy = new StaticArray<f32>(26);
    const w = new StaticArray<f32>(13);
    for (let c = 0; c < 13; ++c) {
      dy[c] = <f32>(c + 1);
      dy[c + 13] = 5;
      w[c] = <f32>(c + 2);
    }
    const dx = new StaticArray<f32>(40);
    dx.fill(77);
    run(dy, w, dx, [1, 1, 3, 13, 1, 2, 13, 1, 1, 1, 2, 1, 1, 0, 0, 0]);
    for (let c = 0; c < 13; ++c) {
      expect<f32>(dx[c]).toBe(<f32>((c + 1) * (c + 2)));
      expect<f32>(dx[c + 13]).toBe(0);
      expect<f32>(dx[c + 26]).toBe(<f32>((c + 2) * 5));
    }
    expect<f32>(dx[39]).toBe(77);
  });
});
