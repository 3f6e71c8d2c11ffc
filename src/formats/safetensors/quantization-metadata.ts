import { bitsOf, checkGrid, type Grid } from "../../core/grid.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import { codeStorage } from "./code-storage.js";
import { fileError, printed, tensorError } from "./file-error.js";
import { isObject, isSizes } from "./json-values.js";
import { parseStrictJson } from "./strict-json.js";

/** Key of `__metadata__` under which the grids are. */
export const QUANTIZATION_KEY = "quantization";

const FORMAT = "bitpress";
const VERSION = 1;
/** The object, `tensors`, a tensor, its shape. */
const MAX_DEPTH = 4;

/** What the file's integers of one tensor mean, but for scale and zero point, which are tensors of their own. */
export interface QuantizedEntry extends Grid {
  /** Shape of the codes; `axis` counts in it. The stored tensor may be packed, or have another shape of the same size. */
  readonly shape: Shape;
  /** Channel axis; absent per tensor. */
  readonly axis?: number;
}

/** The quantized tensors of a file by name, and the names of those that only keep the others aligned. */
export interface Quantization {
  readonly tensors: ReadonlyMap<string, QuantizedEntry>;
  readonly padding: readonly string[];
}

/** Name of the tensor of scales beside a quantized one. */
export function scaleName(name: string): string {
  return `${name}_scale`;
}

/** Name of the tensor of zero points, present when one is not zero. */
export function zeroPointName(name: string): string {
  return `${name}_zero_point`;
}

/** A quantized tensor whose scale or zero point would take, or be taken for, a tensor that is there already. */
export function firstClash(
  names: ReadonlySet<string>,
  quantized: Iterable<string>,
): { readonly name: string; readonly beside: string } | undefined {
  for (const name of quantized) {
    const beside = [scaleName(name), zeroPointName(name)].find((part) => names.has(part));
    if (beside !== undefined) return { name, beside };
  }
  return undefined;
}

/** The JSON; schema in docs/formats.md. */
export function encodeQuantization({ tensors, padding }: Quantization): string {
  const entries = [...tensors].map(([name, { qmin, qmax, axis, shape }]) => {
    const packed = codeStorage({ qmin, qmax }).packedBits !== undefined;
    const entry = {
      bits: bitsOf({ qmin, qmax }),
      qmin,
      qmax,
      ...(axis === undefined ? {} : { axis }),
      shape,
      ...(packed ? { packed } : {}),
    };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  const rest = padding.length === 0 ? "" : `,"padding":${JSON.stringify(padding)}`;
  return `{"format":"${FORMAT}","version":${VERSION},"tensors":{${entries.join(",")}}${rest}}`;
}

/**
 * Reads and checks the JSON. Undefined when it is somebody else's: it does not begin with `{"format": "bitpress"`.
 *
 * Errors: QuantError `invalid-file`, naming the tensor, or the version where it is another.
 */
export function parseQuantization(where: string, text: string | undefined): Quantization | undefined {
  if (text === undefined || !/^\s*\{\s*"format"\s*:\s*"bitpress"/.test(text)) return undefined;
  const place = `${where}, __metadata__.${QUANTIZATION_KEY}`;
  const { version, tensors, padding = [] } = parseStrictJson(place, text, MAX_DEPTH) as Record<string, unknown>;
  if (version !== VERSION) throw fileError(place, `expected version ${VERSION}, got ${printed(version)}`);
  if (!isObject(tensors)) throw fileError(place, `expected tensors as an object, got ${printed(tensors)}`);
  if (!Array.isArray(padding) || !padding.every((name) => typeof name === "string")) {
    throw fileError(place, `expected padding as a list of names, got ${printed(padding)}`);
  }
  const entries = Object.entries(tensors).map(([name, entry]) => [name, checkEntry(place, name, entry)] as const);
  return { tensors: new Map(entries), padding };
}

function checkEntry(where: string, name: string, value: unknown): QuantizedEntry {
  const fail = (expected: string, got: unknown) =>
    tensorError(where, name, `expected ${expected}, got ${printed(got)}`);
  if (!isObject(value)) throw fail("{ bits, qmin, qmax, axis?, shape, packed? }", value);
  const { bits, qmin, qmax, axis, shape, packed } = value;
  if (!isGrid({ qmin, qmax })) throw fail("integers qmin < qmax of at most 16 bits", [qmin, qmax]);
  const grid = { qmin: qmin as number, qmax: qmax as number };
  if (bits !== bitsOf(grid)) throw fail(`bits ${bitsOf(grid)} for codes in [${qmin}, ${qmax}]`, bits);
  const isPacked = codeStorage(grid).packedBits !== undefined;
  if ((packed ?? false) !== isPacked) throw fail(`packed ${isPacked} for ${bits} bits`, packed);
  if (!isSizes(shape)) throw fail("a shape of non-negative integers", shape);
  if (!Number.isSafeInteger(sizeOf(shape))) throw fail("a shape of fewer than 2^53 elements", shape);
  if (axis === undefined) return { ...grid, shape };
  if (!Number.isInteger(axis) || (axis as number) < 0 || (axis as number) >= shape.length) {
    throw fail(`an axis of a tensor of rank ${shape.length}`, axis);
  }
  return { ...grid, shape, axis: axis as number };
}

function isGrid(grid: { qmin: unknown; qmax: unknown }): boolean {
  try {
    checkGrid("", grid as Grid);
    return true;
  } catch {
    return false;
  }
}
