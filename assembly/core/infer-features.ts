import { features } from "./features";

/** What this binary was compiled with, as features tells, and bit 3: these are the integer layers. */
export function inferFeatures(): i32 {
  return features() | 8;
}
