import { storeSome } from "./store-pair";

/** Stores the first `count`, 1..8, of the codes in a register. */
// @ts-ignore: decorator
@inline export function storeCodes(at: usize, codes: v128, count: i32): void {
  if (count == 8) v128.store64_lane(at, codes, 0);
  else storeSome(at, i64x2.extract_lane(codes, 0), count);
}

/** Stores the first `count`, 1..16, of the codes in a register. */
// @ts-ignore: decorator
@inline export function storeSixteen(at: usize, codes: v128, count: i32): void {
  if (count == 16) {
    v128.store(at, codes);
    return;
  }
  storeSome(at, i64x2.extract_lane(codes, 0), min(count, 8));
  if (count > 8) storeSome(at + 8, i64x2.extract_lane(codes, 1), count - 8);
}
