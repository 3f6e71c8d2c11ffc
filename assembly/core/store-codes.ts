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
