import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import type { QuantizedTensor } from "../core/tensor.js";
import type { ModelArtifacts } from "../formats/tfjs-model/artifacts.js";
import { quantizedArtifacts } from "../formats/tfjs-model/quantized-artifacts.js";
import { decodeFloats, splitWeights } from "../formats/tfjs-model/weight-data.js";
import { dequantize } from "../wasm/dequantize.js";
import { quantize } from "../wasm/quantize.js";
import type { TfjsModel } from "./live-model.js";
import { readQuantizationMetadata } from "./metadata.js";

/**
 * A save handler that stores a compressed model with one byte per quantized weight, in a form that stock tfjs loads.
 *
 * Stock save() writes float32. What is stored how, and what is exact, stands in docs/formats.md. The optimizer is not
 * stored.
 *
 * @param target where tfjs would save: a URL ("downloads://model", "indexeddb://model" …) or a handler
 *
 * Errors: TypeError for a target that cannot be saved to here. When saving: QuantError `invalid-model` for a model that no
 * quantizer made, that is stored in one byte already, or whose weights changed since compress.
 */
export function saveHandler(target: string | tf.io.IOHandler): tf.io.IOHandler {
  const save = saveFunction(target);
  return {
    async save(artifacts) {
      const stored = storedArtifacts("saveHandler", artifacts as unknown as ModelArtifacts);
      return save(stored as unknown as tf.io.ModelArtifacts);
    },
  };
}

/**
 * The artifacts of a compressed model with one byte per quantized weight: what saveHandler passes to its target, and what
 * writeTfjs turns into files.
 *
 * Errors: as saveHandler.
 */
export async function toArtifacts(model: TfjsModel): Promise<ModelArtifacts> {
  let captured: ModelArtifacts | undefined;
  await model.save({
    save: (artifacts) => {
      captured = artifacts as unknown as ModelArtifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    },
  });
  return storedArtifacts("toArtifacts", captured as ModelArtifacts);
}

function saveFunction(target: string | tf.io.IOHandler): tf.io.SaveHandler {
  const handler = typeof target === "string" ? tf.io.getSaveHandlers(target).at(0) : target;
  if (typeof handler?.save !== "function") {
    const expected = typeof target === "string" ? "a URL that tfjs can save to here" : "a URL or a handler with save()";
    const found = typeof target === "string" ? JSON.stringify(target) : Object.prototype.toString.call(target);
    throw new TypeError(`saveHandler: expected ${expected}, got ${found}`);
  }
  return handler.save.bind(handler);
}

function storedArtifacts(where: string, artifacts: ModelArtifacts): ModelArtifacts {
  const params = readQuantizationMetadata(where, artifacts.userDefinedMetadata);
  const stored = new Map(splitWeights(artifacts).map((weight) => [weight.spec.name, weight]));
  const quantized = new Map<string, QuantizedTensor>();
  for (const [name, { shape, params: grid }] of params) {
    const weight = stored.get(name);
    const length = sizeOf(shape);
    if (weight === undefined || sizeOf(weight.spec.shape) !== length) {
      const found = weight === undefined ? "none" : formatShape(weight.spec.shape);
      throw new QuantError(
        "invalid-model",
        `${where}: expected a weight "${name}" of ${length} elements, got ${found}; call compress again`,
        { name },
      );
    }
    const values = decodeFloats(weight);
    const data = quantize(values, grid, { shape });
    const back = dequantize(data, grid, { shape });
    const changed = back.findIndex((value, i) => value !== values[i]);
    if (changed >= 0) {
      throw new QuantError(
        "invalid-model",
        `${where}: expected "${name}" on its grid, got ${values[changed]} at index ${changed}; weights changed since compress, so call it again`,
        { name, index: changed },
      );
    }
    quantized.set(name, { data, shape, params: grid });
  }
  return quantizedArtifacts(artifacts, quantized);
}
