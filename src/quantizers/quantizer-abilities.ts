import type { QuantizerName, TargetName } from "./config-list.js";

/** NNI's three ways to say what is quantized, by the first version that had them. */
export type Spelling = "v1.1" | "v1.2" | "v3";

/** What a quantizer's config list can say. */
export interface Abilities {
  readonly targets: readonly TargetName[];
  readonly isWidth: (bits: number) => boolean;
  /** isWidth and quant_dtype in the words of an error. */
  readonly widths: string;
  readonly dtypes: string;
  /** Whether the grid may be unsigned. */
  readonly unsigned: boolean;
  readonly keys: Readonly<Record<Spelling, readonly string[]>>;
  /** Keys beside any spelling. */
  readonly extras: readonly string[];
}

/** The three quantizers; the keys are those of NNI's own schemas. */
export const QUANTIZERS: Readonly<Record<QuantizerName, Abilities>> = {
  NaiveQuantizer: {
    targets: ["weight"],
    isWidth: (bits) => bits === 8,
    widths: "8",
    dtypes: '"int8"',
    unsigned: false,
    keys: {
      "v1.1": ["q_bits"],
      "v1.2": ["quant_types", "quant_bits"],
      v3: ["target_names", "target_settings", "quant_dtype", "granularity"],
    },
    extras: ["axis"],
  },
  QATQuantizer: {
    targets: ["weight", "input", "output"],
    isWidth: (bits) => bits >= 2 && bits <= 16,
    widths: "an integer in 2…16",
    dtypes: '"int2" … "int16", "uint2" … "uint16"',
    unsigned: true,
    keys: {
      "v1.1": ["q_bits"],
      "v1.2": ["quant_types", "quant_bits", "quant_dtype", "quant_scheme"],
      v3: ["target_names", "target_settings", "quant_dtype", "quant_scheme", "granularity", "fuse_names"],
    },
    extras: ["axis", "quant_start_step"],
  },
  // Its grids are the paper's, [−1, 1] and [0, 1] in 2^bits − 1 steps: there is no scheme, granularity or axis to choose.
  DoReFaQuantizer: {
    targets: ["weight", "input", "output"],
    isWidth: (bits) => (bits >= 1 && bits <= 16) || bits === 32,
    widths: "an integer in 1…16, or 32 (untouched)",
    dtypes: '"int1" … "int16", "uint1" … "uint16", "int32" (untouched)',
    unsigned: true,
    keys: {
      "v1.1": ["q_bits"],
      "v1.2": ["quant_types", "quant_bits"],
      v3: ["target_names", "target_settings", "quant_dtype"],
    },
    extras: [],
  },
};
