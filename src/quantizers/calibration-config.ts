import { bitsOf } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import type { TargetName } from "./config-list.js";

/** NNI v3's names of what is quantized. */
const TARGET_KEYS = { weight: "weight", input: "_input_0", output: "_output_0" } as const;

/** How one target of one layer is quantized, in NNI v3's words; lists have one entry, or one per output channel. */
export interface TargetCalibration {
  /** real = scale · (q − zero_point) */
  readonly scale: readonly number[];
  readonly zero_point: readonly number[];
  /** `int8`, `uint4` … */
  readonly quant_dtype: string;
  readonly quant_scheme: "affine" | "symmetric";
  /** As in quant_dtype, but that DoReFa's weights have fewer than their codes. */
  readonly quant_bits: number;
  /** bitpress: the ends of the grid. NNI's signed grids are always narrow, these are what they say. */
  readonly qmin: number;
  readonly qmax: number;
  /** bitpress: the channels' axis in the weights, where there is one scale per channel. */
  readonly axis?: number;
  /** Range behind the parameters: of the weights as they are, of activations their moving average; absent: prescribed. */
  readonly tracked_max?: readonly number[];
  readonly tracked_min?: readonly number[];
}

/** What training found out about the ranges of a model, by layer and target, in the form of NNI v3's calibration config. */
export type CalibrationConfig = Readonly<
  Record<string, Readonly<Partial<Record<(typeof TARGET_KEYS)[TargetName], TargetCalibration>>>>
>;

/** Parameters of one target, and where they come from. */
export interface CalibratedTarget {
  readonly params: QuantParams;
  readonly symmetric: boolean;
  /** Where fewer bits than the grid has tell its codes apart: those of DoReFa's weights. */
  readonly bits?: number;
  /** Absent where the parameters are prescribed. One value each, or one per channel. */
  readonly range?: { readonly min: ArrayLike<number>; readonly max: ArrayLike<number> };
}

/**
 * The calibration config of a model, given the parameters of each layer's targets: plain data that JSON holds exactly.
 *
 * Layers without targets are left out.
 * Source: get_calibration_config of NNI v3.0.
 */
export function calibrationConfig(
  layers: ReadonlyMap<string, Readonly<Partial<Record<TargetName, CalibratedTarget>>>>,
): CalibrationConfig {
  const targets = Object.keys(TARGET_KEYS) as TargetName[];
  return Object.fromEntries(
    [...layers]
      .map(([name, layer]) => {
        const records = targets.flatMap((target) => {
          const calibrated = layer[target];
          return calibrated === undefined ? [] : [[TARGET_KEYS[target], targetCalibration(calibrated)] as const];
        });
        return [name, Object.fromEntries(records)] as const;
      })
      .filter(([, records]) => Object.keys(records).length > 0),
  );
}

function targetCalibration({ params, symmetric, bits, range }: CalibratedTarget): TargetCalibration {
  const { scale, zeroPoint, qmin, qmax, axis } = params;
  const gridBits = bitsOf(params);
  return {
    scale: listOf(scale),
    zero_point: listOf(zeroPoint),
    quant_dtype: `${qmin < 0 ? "int" : "uint"}${gridBits}`,
    quant_scheme: symmetric ? "symmetric" : "affine",
    quant_bits: bits ?? gridBits,
    qmin,
    qmax,
    ...(axis !== undefined && { axis }),
    ...(range !== undefined && { tracked_max: Array.from(range.max), tracked_min: Array.from(range.min) }),
  };
}

function listOf(values: number | ArrayLike<number>): number[] {
  return typeof values === "number" ? [values] : Array.from(values);
}
