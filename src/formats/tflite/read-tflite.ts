import { QuantError } from "../../core/errors.js";
import type { QuantizedGraph } from "../../graph/quantized-graph.js";
import { validateQuantizedGraph } from "../../graph/validate-quantized.js";
import { decodeFile } from "./decode-file.js";
import { readGraph } from "./read-graph.js";

// Layers may share weights, as the steps of an unrolled recurrent network do. Each use is checked, which takes time: this bounds
// what a hostile file can ask for.
const MOST_WEIGHT_USES = 64;

/**
 * Reads a .tflite file whose weights and activations are int8, made by this library or by any other tool.
 *
 * Weights are per tensor or per channel, 8 or 4 bits; QUANTIZE and DEQUANTIZE may stand at the borders or inside. What is
 * read is checked in full (validateQuantizedGraph), so that whoever runs the graph needs to check nothing.
 *
 * @param bytes the file; arrays of the graph are views of it where their alignment allows it
 *
 * Errors: TypeError for anything but bytes; QuantError `invalid-file` for files that are damaged or contradict themselves;
 * `unsupported` for operators, types and forms that are not read, saying which (float and uint8 models are among them).
 * Source: tensorflow/lite/schema/schema.fbs and the 8-bit quantization specification; docs/formats.md.
 *
 * @example
 * const graph = readTflite(await readFile("model.tflite"));
 */
export function readTflite(bytes: Uint8Array | ArrayBuffer): QuantizedGraph {
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array)) {
    throw new TypeError(
      `readTflite: expected a Uint8Array or ArrayBuffer, got ${Object.prototype.toString.call(bytes)}`,
    );
  }
  const graph = readGraph(decodeFile(file), file.length * MOST_WEIGHT_USES);
  try {
    validateQuantizedGraph(graph);
  } catch (error) {
    if (!(error instanceof QuantError)) throw error;
    throw new QuantError("invalid-file", `readTflite: ${error.message}`, error.details);
  }
  return graph;
}
