import { type ConvGeometry, GEOMETRY_FIELDS } from "../core/conv-geometry.js";

/** The i32 block of a geometry, as assembly/core/conv-geometry.ts draws it; `rows` is conv2dBackpropFilterF32's own. */
export function geometryWords(geometry: ConvGeometry, rows = 0): Int32Array {
  return Int32Array.from([...GEOMETRY_FIELDS.map((name) => geometry[name]), rows]);
}

/** `count` rounded up to a multiple of `step`. */
export function roundUp(count: number, step: number): number {
  return Math.ceil(count / step) * step;
}
