/** What this binary was compiled with. Bit 0: SIMD; bit 1: relaxed SIMD; bit 2: assertions. */
export function features(): i32 {
  return (ASC_FEATURE_SIMD ? 1 : 0) | (ASC_FEATURE_RELAXED_SIMD ? 2 : 0) | (ASC_NO_ASSERT ? 0 : 4);
}
