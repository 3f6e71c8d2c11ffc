// A layer and a channel block of zeros to fill in, for one block of eight channels.

export const layer = new StaticArray<i32>(48);
export const block = new StaticArray<i32>(32);
export const sums = new StaticArray<i32>(16);
export const offsets = new StaticArray<i32>(2);
export const out = new StaticArray<i8>(24);

// @ts-ignore: decorator
@inline export function at<T>(array: StaticArray<T>): usize {
  return changetype<usize>(array);
}

/** Zero point and bounds of the output; two pixels of `count` channels, eight bytes apart. */
export function prepare(zeroPoint: i32, qmin: i32, qmax: i32, count: i32): void {
  layer.fill(0);
  block.fill(0);
  sums.fill(0);
  out.fill(77);
  layer[16] = zeroPoint;
  layer[17] = qmin;
  layer[18] = qmax;
  block[26] = count;
  offsets[0] = 0;
  offsets[1] = 8;
}
