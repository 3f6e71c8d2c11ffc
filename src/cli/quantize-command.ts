import { open, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { quantizeSafetensors } from "../arrays/quantize-safetensors.js";
import { quantizeTfjs } from "../arrays/quantize-tfjs.js";
import type { Granularity, WeightLayout } from "../core/granularity.js";
import { formatShape } from "../core/shape.js";
import { writeTfjs } from "../formats/tfjs-model/files.js";
import type { Report } from "../quantizers/report.js";
import { formatBytes } from "./format-bytes.js";
import { formatSqnr, NONE, sqnrAsJson } from "./format-number.js";
import { QUANTIZE_HELP } from "./help.js";
import { findModel, type ModelInput, readTfjsModel } from "./model-input.js";
import { onlyArgument } from "./only-argument.js";
import { parseArguments } from "./parse-arguments.js";
import { printable } from "./printable.js";
import { type Progress, startProgress } from "./progress.js";
import { checkReplaceable, replaceWhenDone } from "./replace-when-done.js";
import { shortName } from "./short-name.js";
import { table } from "./table.js";
import { UsageError } from "./usage-error.js";

const OPTIONS = {
  bits: { type: "string", choices: ["2", "3", "4", "5", "6", "7", "8"] },
  granularity: { type: "string", choices: ["perChannel", "perTensor"] },
  layout: { type: "string", choices: ["pytorch", "tfjs"] },
  output: { type: "string", short: "o" },
  force: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

interface Options {
  readonly bits: number;
  readonly granularity: Granularity;
  readonly layout: WeightLayout;
  readonly output: string;
  readonly force: boolean;
}

/** What was written. */
interface Outcome {
  readonly report: Report;
  /** Of all files read and written. */
  readonly fileBytesBefore: number;
  readonly fileBytesAfter: number;
}

/** `bitpress quantize`: writes the quantized model and returns what to print. */
export async function quantizeCommand(args: readonly string[]): Promise<string> {
  const { values, positionals } = parseArguments(OPTIONS, args);
  if (values.help) return QUANTIZE_HELP;
  const input = await findModel(onlyArgument(positionals));
  const { bits = "8", granularity = "perChannel", layout = "pytorch" } = values;
  if (input.format === "tfjs" && values.layout !== undefined) {
    throw new UsageError("expected --layout with a .safetensors file only, got a tfjs model, whose layout is known");
  }
  if (input.format === "tfjs" && values.output?.endsWith(".json")) {
    throw new UsageError(`expected a folder as --output for a tfjs model, got "${values.output}"`);
  }
  const extension = input.format === "tfjs" ? "" : ".safetensors";
  const options: Options = {
    bits: Number(bits),
    granularity: granularity as Granularity,
    layout: layout as WeightLayout,
    output: values.output ?? `${input.stem}-int${bits}${extension}`,
    force: values.force ?? false,
  };
  const quantizeInput = input.format === "tfjs" ? quantizeModel : quantizeFile;
  const progress = startProgress(process.stderr);
  const outcome = await quantizeInput(input, options, progress.update).finally(progress.end);
  return values.json ? asJson(input, options, outcome) : asTable(options, outcome);
}

async function quantizeModel({ file }: ModelInput, options: Options, onProgress: Progress["update"]): Promise<Outcome> {
  const { bits, granularity, output, force } = options;
  checkReplaceable(output, "folder", force);
  const { artifacts, fileBytes } = await readTfjsModel(file);
  const { artifacts: small, report } = quantizeTfjs(artifacts, { bits, granularity }, onProgress);
  const files = Object.entries(writeTfjs(small));
  await replaceWhenDone(output, "folder", force, async (partial) => {
    for (const [path, bytes] of files) {
      await writeFile(join(partial, path), bytes);
    }
  });
  const fileBytesAfter = files.reduce((sum, [, { length }]) => sum + length, 0);
  return { report, fileBytesBefore: fileBytes, fileBytesAfter };
}

async function quantizeFile({ file }: ModelInput, options: Options, onProgress: Progress["update"]): Promise<Outcome> {
  const { bits, granularity, layout, output, force } = options;
  const source = await open(file);
  try {
    const report = await replaceWhenDone(output, "file", force, async (partial) => {
      const sink = await open(partial, "r+");
      try {
        return await quantizeSafetensors(source, sink, { bits, granularity, layout, onProgress });
      } finally {
        await sink.close();
      }
    });
    return { report, fileBytesBefore: (await source.stat()).size, fileBytesAfter: (await stat(output)).size };
  } finally {
    await source.close();
  }
}

function asTable({ output }: Options, { report, fileBytesBefore, fileBytesAfter }: Outcome): string {
  const rows = report.tensors.map(({ name, shape, bits, bytesBefore, bytesAfter, sqnr, scales }) => [
    shortName(name),
    formatShape(shape),
    String(bits),
    formatBytes(bytesBefore),
    formatBytes(bytesAfter),
    scales === undefined ? NONE : formatSqnr(sqnr),
  ]);
  const { bytesBefore, bytesAfter } = report;
  const total = [`total of ${rows.length}`, "", "", formatBytes(bytesBefore), formatBytes(bytesAfter), ""];
  const lines = table(
    [
      { title: "tensor", align: "left" },
      { title: "shape", align: "left" },
      { title: "bits", align: "right" },
      { title: "before", align: "right" },
      { title: "after", align: "right" },
      { title: "SQNR", align: "right" },
    ],
    [...rows, total],
  );
  const percent = ((100 * fileBytesAfter) / fileBytesBefore).toFixed(1);
  const sizes = `${formatBytes(fileBytesBefore)} → ${formatBytes(fileBytesAfter)} of files, ${percent} %`;
  return `${lines}\n${printable(output)}: ${sizes}\n`;
}

function asJson(
  { file, format }: ModelInput,
  { bits, granularity, layout, output }: Options,
  { report, fileBytesBefore, fileBytesAfter }: Outcome,
): string {
  const { tensors, bytesBefore, bytesAfter } = report;
  const document = {
    input: file,
    output,
    format,
    bits,
    granularity,
    ...(format === "safetensors" ? { layout } : {}),
    fileBytesBefore,
    fileBytesAfter,
    bytesBefore,
    bytesAfter,
    tensors: tensors.map((tensor) => ({ ...tensor, sqnr: sqnrAsJson(tensor.sqnr) })),
  };
  return `${JSON.stringify(document)}\n`;
}
