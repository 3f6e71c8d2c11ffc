import { tanhLanes } from "./tanh";

/**
 * Four codes of DoReFa's weights, as floats: rne(fl(fl(fl(tanh(w) / limit) * n/2) + n/2)), ties to even.
 *
 * limit is the tanh of the largest |w|, not 0; half is n/2. Monotone in w, as tanh is. No clamp: |tanh(w) / limit| <= 1.
 */
// @ts-ignore: decorator
@inline export function unitCodes(w: v128, limit: v128, half: v128, magic: v128, table: usize): v128 {
  const v = f32x4.add(f32x4.mul(f32x4.div(tanhLanes(w, table), limit), half), half);
  return f32x4.sub(f32x4.add(v, magic), magic);
}
