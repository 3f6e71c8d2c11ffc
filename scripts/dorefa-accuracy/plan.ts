import { parseArgs } from "node:util";
import { DOREFA_RATE, type DorefaBits } from "../../examples/dorefa-training.js";

/** Where the noise of rounded gradients is drawn: for each element, as DoReFa-Net has it, once for each sample, or nowhere. */
export const NOISES = ["element", "sample", "none"] as const;
export type Noise = (typeof NOISES)[number];

/** One training, as far as its result depends on it. */
export interface Plan {
  readonly set: "mnist" | "fashion";
  /** Of weights, activations and gradients, as "1-2-4". */
  readonly bits: string;
  /** In a run of the ablation, whose gradients the script rounds; null: the library does. */
  readonly noise: Noise | null;
  readonly seed: number;
  readonly epochs: number;
  /** Images per epoch. */
  readonly images: number;
  readonly learningRate: number;
  /** Accuracy on the test set, or on the last training images, which the training then leaves out. */
  readonly judgedOn: "test" | "heldOut";
}

export const WIDTHS = [
  ...["32-32-32", "8-8-32", "4-4-32", "2-2-32", "1-2-32", "1-1-32"],
  ...["1-2-4", "4-4-4", "8-8-8", "1-1-4"],
];
export const HELD_OUT = 10_000;
/** Images of the short runs, which choose a rate or compare kinds of noise. */
const SHORT = 20_000;
const RATES = [3e-3, 1e-2, 3e-2];
const SETS = ["mnist", "fashion"] as const;
const CHOICES = [...SETS, "noise", ...WIDTHS];

/**
 * The trainings that the arguments after `dorefa` ask for: widths in the order given, the first seed of all before the second.
 *
 * Errors: RangeError naming the choices.
 */
export function planRuns(args: readonly string[]): Plan[] {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      full: { type: "boolean", default: false },
      "choose-rate": { type: "boolean", default: false },
      seeds: { type: "string" },
    },
    allowPositionals: true,
  });
  const { full, "choose-rate": chooseRate } = values;
  const seeds = Number(values.seeds ?? (full ? 3 : 1));
  const unknown = positionals.find((name) => !CHOICES.includes(name));
  if (unknown !== undefined || !(Number.isInteger(seeds) && seeds >= 1)) {
    const found = unknown ?? `--seeds ${values.seeds}`;
    throw new RangeError(`accuracy dorefa: expected ${CHOICES.join(", ")}, and --seeds of at least 1, got ${found}`);
  }
  const among = <T extends string>(all: readonly T[]): readonly T[] => {
    const chosen = positionals.flatMap((name) => all.filter((one) => one === name));
    return chosen.length === 0 ? all : chosen;
  };
  const onlyNoise = positionals.length > 0 && positionals.every((name) => name === "noise");
  const withNoise = positionals.length === 0 || positionals.includes("noise");
  if (chooseRate) return among(SETS).flatMap(rateRuns);
  const bySeed = Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
    onlyNoise
      ? []
      : among(SETS).flatMap((set) => among(WIDTHS).map((bits) => widthRun(set, bits, seed, full ? 10 : 3))),
  );
  return [...bySeed, ...(withNoise ? noiseRuns(seeds) : [])];
}

/** "1-2-4" as numbers. */
export function bitsOf(bits: string): DorefaBits {
  const [weightBits, activationBits, gradientBits] = bits.split("-").map(Number);
  return { weightBits, activationBits, gradientBits };
}

function widthRun(set: Plan["set"], bits: string, seed: number, epochs: number): Plan {
  return { set, bits, noise: null, seed, epochs, images: 60_000, learningRate: DOREFA_RATE, judgedOn: "test" };
}

/** Few bits and none, at each rate. */
function rateRuns(set: Plan["set"]): Plan[] {
  return ["1-2-4", "32-32-32"].flatMap((bits) =>
    RATES.map((learningRate): Plan => {
      return { set, bits, noise: null, seed: 1, epochs: 1, images: SHORT, learningRate, judgedOn: "heldOut" };
    }),
  );
}

/** Short runs with gradients as they are and, at 4 bits, with each noise: that per element has the bits of the library's own. */
function noiseRuns(seeds: number): Plan[] {
  const short = { set: "mnist", epochs: 1, images: SHORT, learningRate: DOREFA_RATE, judgedOn: "test" } as const;
  return Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed): Plan[] => [
    { ...short, bits: "1-2-32", noise: null, seed },
    ...NOISES.map((noise) => ({ ...short, bits: "1-2-4", noise, seed })),
  ]);
}
