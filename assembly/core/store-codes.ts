/** Stores the low `count` of the eight codes in a register, 1..8. */
// @ts-ignore: decorator
@inline export function storeCodes(at: usize, codes: v128, count: i32): void {
  let bytes = <u64>i64x2.extract_lane(codes, 0);
  if (count == 8) {
    store<u64>(at, bytes);
    return;
  }
  do {
    store<u8>(at++, <u8>bytes);
    bytes >>= 8;
  } while (--count > 0);
}

/** Stores the first `count` of the sixteen codes in a register, 1..16. */
// @ts-ignore: decorator
@inline export function storeSixteen(at: usize, codes: v128, count: i32): void {
  if (count == 16) {
    v128.store(at, codes);
    return;
  }
  storeCodes(at, codes, min(count, 8));
  if (count > 8) storeCodes(at + 8, v128.shuffle<i64>(codes, codes, 1, 1), count - 8);
}
