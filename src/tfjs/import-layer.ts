import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { nodeBase } from "../graph/build.js";
import { importActivation, importLeakyReLU, importReLU, importSoftmax } from "./import-activation.js";
import {
  importDropout,
  importFlatten,
  importGlobalPooling1D,
  importGlobalPooling2D,
  importPermute,
  importPooling1D,
  importPooling2D,
  importReshape,
  importUpSampling2D,
  importZeroPadding2D,
} from "./import-map.js";
import { importArithmetic, importConcatenate } from "./import-merge.js";
import {
  importBatchNormalization,
  importConv1D,
  importConv2D,
  importDense,
  importDepthwiseConv2D,
  importSeparableConv2D,
} from "./import-weighted.js";
import type { Imported, LayerUse } from "./layer-use.js";

/** How each class of layer becomes nodes; any other is opaque. */
const IMPORTERS: ReadonlyMap<string, (use: LayerUse) => Imported> = new Map([
  ["Activation", importActivation],
  ["Add", importArithmetic("add")],
  ["AlphaDropout", importDropout],
  ["AveragePooling1D", importPooling1D("averagePool2d")],
  ["AveragePooling2D", importPooling2D("averagePool2d")],
  ["BatchNormalization", importBatchNormalization],
  ["Concatenate", importConcatenate],
  ["Conv1D", importConv1D],
  ["Conv2D", importConv2D],
  ["Dense", importDense],
  ["DepthwiseConv2D", importDepthwiseConv2D],
  ["Dropout", importDropout],
  ["Flatten", importFlatten],
  ["GaussianDropout", importDropout],
  ["GaussianNoise", importDropout],
  ["GlobalAveragePooling1D", importGlobalPooling1D("mean")],
  ["GlobalAveragePooling2D", importGlobalPooling2D("mean")],
  ["GlobalMaxPooling1D", importGlobalPooling1D("globalMaxPool2d")],
  ["GlobalMaxPooling2D", importGlobalPooling2D("globalMaxPool2d")],
  ["LeakyReLU", importLeakyReLU],
  ["MaxPooling1D", importPooling1D("maxPool2d")],
  ["MaxPooling2D", importPooling2D("maxPool2d")],
  ["Multiply", importArithmetic("multiply")],
  ["Permute", importPermute],
  ["ReLU", importReLU],
  ["Reshape", importReshape],
  ["SeparableConv2D", importSeparableConv2D],
  ["Softmax", importSoftmax],
  ["SpatialDropout1D", importDropout],
  ["UpSampling2D", importUpSampling2D],
  ["ZeroPadding2D", importZeroPadding2D],
]);

/** Classes of tfjs layers that become ops of the graph, for reports and errors. */
export const IMPORTED_CLASSES: readonly string[] = [...IMPORTERS.keys()];

/**
 * Adds the nodes of one use of a layer; returns the names of the values that it gives.
 *
 * Errors: QuantError `unsupported` for a layer whose class is not registered under its className: it could not be made
 * again from its configuration, or would be made as the class that is registered, and compute something else.
 */
export function importLayer(use: LayerUse): readonly string[] {
  const { className, name } = use.source;
  const [registered] = tf.serialization.SerializationMap.getMap().classNameMap[className] ?? [];
  if (use.layer.constructor !== (registered as unknown)) {
    throw new QuantError(
      "unsupported",
      `importLayersModel: layer "${name}": expected a class registered as "${className}", got ${registered === undefined ? "none" : "another class"}; give the class a static className of its own and call tf.serialization.registerClass`,
      { layer: name, className },
    );
  }
  const importer = IMPORTERS.get(className);
  if (importer === undefined) return addOpaque(use, `class ${className}`);
  const imported = importer(use);
  return "value" in imported ? [imported.value] : addOpaque(use, imported.reason);
}

function addOpaque(use: LayerUse, reason: string): readonly string[] {
  const { builder, name, source, inputs, outputShapes, weights, trainable } = use;
  const outputs = outputShapes.map((_, i) => (i === 0 ? name : builder.freshName(`${name}/out${i}`)));
  const { className, config } = source;
  const names = [...weights.values()].map((weight) => weight.name);
  const base = { ...nodeBase(name, source, inputs), outputs };
  builder.add({ ...base, op: "opaque", className, config, weights: names, reason, trainable }, outputShapes);
  return outputs;
}
