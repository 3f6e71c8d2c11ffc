import type { Shape } from "../../core/shape.js";

/** One weight of a tfjs model file, as `model.json` lists it. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: "float32" | "int32" | "bool" | "string" | "complex64";
  readonly group?: "model" | "optimizer";
  /** Stored form: value = stored · scale + min; float16 needs neither. */
  readonly quantization?: {
    readonly dtype: "uint8" | "uint16" | "float16";
    readonly scale?: number;
    readonly min?: number;
  };
}

/**
 * A tfjs model as plain data: what `tf.io` handlers pass around, of which only the fields below are read.
 *
 * `modelTopology` is Keras JSON for a layers model, GraphDef JSON for a graph model.
 */
export interface ModelArtifacts {
  readonly modelTopology?: object;
  readonly weightSpecs?: readonly WeightSpec[];
  readonly weightData?: ArrayBuffer | readonly ArrayBuffer[];
  readonly format?: string;
  readonly userDefinedMetadata?: object;
  readonly [other: string]: unknown;
}

/** A JSON object of a topology. */
export type Json = { readonly [key: string]: unknown };

/** Whether a value is a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a JSON value is, for errors. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}
