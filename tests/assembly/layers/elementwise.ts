// A layer of zeros to fill in, for kernels that walk rows, and memory for what they read and write.

export const layer = new StaticArray<i32>(48);
export const block = new StaticArray<i32>(32);
export const taps = new StaticArray<u32>(16);
export const scratch = new StaticArray<i32>(700);
export const x = new StaticArray<i8>(64);
export const x2 = new StaticArray<i8>(64);
export const y = new StaticArray<i8>(64);

// @ts-ignore: decorator
@inline export function at<T>(array: StaticArray<T>): usize {
  return changetype<usize>(array);
}

/** One row of one pixel of `run` elements; all codes, zero point 0. */
export function prepare(run: i32): void {
  layer.fill(0);
  block.fill(0);
  taps.fill(0);
  y.fill(77);
  layer[6] = 1; // rows
  layer[7] = 1; // columns
  layer[13] = <i32>at(block);
  layer[14] = 1; // blockCount
  layer[15] = <i32>at(scratch);
  layer[17] = -128; // qmin
  layer[18] = 127; // qmax
  layer[19] = <i32>at(taps);
  layer[25] = run;
  layer[30] = 1; // xStep
  layer[31] = 1; // x2Step
  block[26] = min(run, 8); // count
}

/** Expects codes at y, and nothing behind them. */
export function expectCodes(codes: StaticArray<i8>): void {
  for (let i = 0; i < codes.length; ++i) expect<i8>(y[i]).toBe(codes[i]);
  expect<i8>(y[codes.length]).toBe(77);
}
