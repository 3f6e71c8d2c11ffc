// MobileNetV2 (nsfwjs) quantized after training, w8a8: how often its most likely class is the float model's, on photo crops.
import * as tf from "@tensorflow/tfjs";
import { calibrate, QATQuantizer } from "bitpress/tfjs";
import { nsfwModel } from "./data/models.js";
import { type Crops, photoCrops } from "./data/photos.js";
import { largest, loadModel, margin, probabilities } from "./evaluate.js";

/** One way to quantize the model, and how far it is from float on the crops judged. */
export interface AgreementRow {
  readonly granularity: "perChannel" | "perTensor";
  readonly observer: "minMax" | "percentile" | "mse";
  readonly weightBits: number;
  readonly activationBits: number;
  /** Crops judged, and those with the float model's class. */
  readonly count: number;
  readonly agree: number;
  /** The same for crops on which the float model leads by at least 0.5. */
  readonly clear: number;
  readonly agreeClearly: number;
  /** Mean |p − p_float| over crops and classes. */
  readonly meanDifference: number;
}

/** What tells the rows of mobilenetAgreement apart. */
export type AgreementCase = Pick<AgreementRow, "granularity" | "observer" | "weightBits" | "activationBits">;

const SIDE = 224;
const CROPS_PER_PHOTO = 8;

/** w8a8 per channel and per tensor with each observer; and each half of the error alone, the other at 16 bits. */
export const AGREEMENT_CASES: readonly AgreementCase[] = [
  ...(["perChannel", "perTensor"] as const).flatMap((granularity) =>
    (["minMax", "percentile", "mse"] as const).map((observer) => of(granularity, observer, 8, 8)),
  ),
  of("perChannel", "minMax", 8, 16),
  of("perTensor", "minMax", 8, 16),
  of("perChannel", "minMax", 16, 8),
];

function of(
  granularity: AgreementCase["granularity"],
  observer: AgreementCase["observer"],
  weightBits: number,
  activationBits: number,
): AgreementCase {
  return { granularity, observer, weightBits, activationBits };
}

/**
 * Agreement with the float model, a row per case. Ranges come from crops of the first photos, the crops judged from the others.
 *
 * @param calibrationPhotos of the six; the remaining ones, up to `judgedPhotos`, are judged
 */
export async function mobilenetAgreement(
  onProgress: (text: string) => void,
  cases: readonly AgreementCase[] = AGREEMENT_CASES,
  { calibrationPhotos = 2, judgedPhotos = 4 } = {},
): Promise<AgreementRow[]> {
  const photos = photoCrops(SIDE, calibrationPhotos + judgedPhotos);
  const samples = cropsOf(photos, 0, calibrationPhotos * CROPS_PER_PHOTO);
  const judged = cropsOf(photos, samples.count, photos.count);
  onProgress(`float classes of ${judged.count} photo crops`);
  const model = (await loadModel(nsfwModel("mobilenet_v2"))) as tf.LayersModel;
  const float = probabilities(model, judged);
  const rows: AgreementRow[] = [];
  for (const one of cases) {
    const { granularity, observer, weightBits, activationBits } = one;
    onProgress(`w${weightBits}a${activationBits} ${granularity}, ${observer}`);
    const simulated = new QATQuantizer({ granularity, weightBits, activationBits }).compress(model);
    const x = tf.tensor4d(samples.data, [samples.count, SIDE, SIDE, 3]);
    await calibrate(simulated, x, { observer, batchSize: CROPS_PER_PHOTO });
    rows.push({ ...one, ...agreement(float, probabilities(simulated, judged)) });
    x.dispose();
    simulated.dispose();
  }
  return rows;
}

/** How far probabilities are from those of the float model, a row per crop. */
function agreement(float: readonly number[][], found: readonly number[][]): Omit<AgreementRow, keyof AgreementCase> {
  const same = float.map((values, i) => largest(values) === largest(found[i]));
  const clear = float.map((values) => margin(values) >= 0.5);
  const differences = float.flatMap((values, i) => values.map((p, c) => Math.abs(p - found[i][c])));
  return {
    count: float.length,
    agree: same.filter(Boolean).length,
    clear: clear.filter(Boolean).length,
    agreeClearly: same.filter((agrees, i) => agrees && clear[i]).length,
    meanDifference: differences.reduce((sum, difference) => sum + difference, 0) / differences.length,
  };
}

function cropsOf({ data, side }: Crops, from: number, to: number): Crops {
  const size = side * side * 3;
  return { data: data.subarray(from * size, to * size), count: to - from, side };
}
