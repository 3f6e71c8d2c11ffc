import { open } from "node:fs/promises";
import { inspectSafetensors } from "../arrays/inspect-safetensors.js";
import { inspectTfjs } from "../arrays/inspect-tfjs.js";
import type { Inspection, TensorInspection } from "../arrays/inspection.js";
import { formatShape } from "../core/shape.js";
import { formatBytes } from "./format-bytes.js";
import { formatNumber, formatSqnr, NONE, sqnrAsJson } from "./format-number.js";
import { INSPECT_HELP } from "./help.js";
import { histogram } from "./histogram.js";
import { findModel, type ModelInput, readTfjsModel } from "./model-input.js";
import { onlyArgument } from "./only-argument.js";
import { parseArguments } from "./parse-arguments.js";
import { printable } from "./printable.js";
import { type Progress, startProgress } from "./progress.js";
import { shortName } from "./short-name.js";
import { type Column, table } from "./table.js";

const OPTIONS = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;

const COLUMNS: readonly Column[] = [
  { title: "tensor", align: "left" },
  { title: "shape", align: "left" },
  { title: "dtype", align: "left" },
  { title: "bits", align: "right" },
  { title: "bytes", align: "right" },
  { title: "scale", align: "right" },
  { title: "step", align: "right" },
  { title: "int8 SQNR", align: "right" },
  { title: "min", align: "right" },
  { title: "values", align: "left" },
  { title: "max", align: "left" },
];

/** `bitpress inspect`: returns what a model holds, to print. */
export async function inspectCommand(args: readonly string[]): Promise<string> {
  const { values, positionals } = parseArguments(OPTIONS, args);
  if (values.help) return INSPECT_HELP;
  const input = await findModel(onlyArgument(positionals));
  const inspectInput = input.format === "tfjs" ? inspectModel : inspectFile;
  const progress = startProgress(process.stderr);
  const inspection = await inspectInput(input, progress.update).finally(progress.end);
  return values.json ? asJson(input, inspection) : asTable(input, inspection);
}

async function inspectModel({ file }: ModelInput, onProgress: Progress["update"]): Promise<Inspection> {
  const { artifacts, fileBytes } = await readTfjsModel(file);
  return { tensors: inspectTfjs(artifacts, onProgress), fileBytes };
}

async function inspectFile({ file }: ModelInput, onProgress: Progress["update"]): Promise<Inspection> {
  const source = await open(file);
  try {
    return await inspectSafetensors(source, onProgress);
  } finally {
    await source.close();
  }
}

function asTable({ file }: ModelInput, { tensors, fileBytes }: Inspection): string {
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const total = COLUMNS.map(({ title }) =>
    title === "tensor" ? `total of ${tensors.length}` : title === "bytes" ? formatBytes(bytes) : "",
  );
  const warnings = tensors.flatMap(({ name, values }) =>
    values === undefined || values.nonFinite === 0
      ? []
      : `"${printable(name)}" holds ${values.nonFinite} NaN or infinite values, the first at index ${values.firstNonFinite}\n`,
  );
  const lines = table(COLUMNS, [...tensors.map(rowOf), total]);
  return `${lines}\n${warnings.join("")}${printable(file)}: ${formatBytes(fileBytes)} of files\n`;
}

function rowOf({ name, shape, dtype, bits, bytes, grid, int8Sqnr, values }: TensorInspection): string[] {
  const known = values !== undefined && !Number.isNaN(values.min);
  return [
    shortName(name),
    formatShape(shape),
    dtype,
    String(bits),
    formatBytes(bytes),
    grid === undefined ? NONE : grid.scales.map(formatNumber).filter(isNew).join("…"),
    grid?.step === undefined ? NONE : `${formatNumber(100 * grid.step)} %`,
    formatSqnr(int8Sqnr),
    known ? formatNumber(values.min) : NONE,
    known ? histogram(values.histogram) : NONE,
    known ? formatNumber(values.max) : NONE,
  ];
}

function isNew(text: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(text) === index;
}

function asJson({ file, format }: ModelInput, { tensors, fileBytes }: Inspection): string {
  const document = {
    file,
    format,
    fileBytes,
    bytes: tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
    // NaN, the range of a tensor without a finite value, becomes null by itself.
    tensors: tensors.map(({ int8Sqnr, ...tensor }) => ({
      ...tensor,
      ...(int8Sqnr === undefined ? {} : { int8Sqnr: sqnrAsJson(int8Sqnr) }),
    })),
  };
  return `${JSON.stringify(document)}\n`;
}
