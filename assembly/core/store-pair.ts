/** Stores the first `count`, 1..8, of eight codes of each of two pixels. */
// @ts-ignore: decorator
@inline export function storePair(first: usize, second: usize, codes: v128, count: i32): void {
  if (count == 8) {
    v128.store64_lane(first, codes, 0);
    v128.store64_lane(second, codes, 1);
  } else {
    storeSome(first, i64x2.extract_lane(codes, 0), count);
    storeSome(second, i64x2.extract_lane(codes, 1), count);
  }
}

/** Stores the low `count` bytes, > 0. */
export function storeSome(at: usize, bytes: u64, count: i32): void {
  do {
    store<u8>(at++, <u8>bytes);
    bytes >>= 8;
  } while (--count > 0);
}
