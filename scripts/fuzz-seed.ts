// Preloaded into every test process: property tests draw the same values in every run, so that a change alone decides
// whether the suite passes. BITPRESS_FUZZ_SEED=random explores; any 32-bit integer repeats a run that failed.
import { configureGlobal } from "fast-check";

const { BITPRESS_FUZZ_SEED = "1" } = process.env;
const seed = BITPRESS_FUZZ_SEED === "random" ? undefined : Number(BITPRESS_FUZZ_SEED);
if (seed !== undefined && !Number.isInteger(seed)) {
  throw new RangeError(`BITPRESS_FUZZ_SEED: expected an integer or random, got ${BITPRESS_FUZZ_SEED}`);
}
configureGlobal(seed === undefined ? {} : { seed });
