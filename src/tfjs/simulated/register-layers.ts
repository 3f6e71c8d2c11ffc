import * as tf from "@tensorflow/tfjs";
import { BatchNormLayer } from "./batch-norm-layer.js";
import { EdgeLayer } from "./edge-layer.js";
import { OpLayer } from "./op-layer.js";
import { ParamsLayer } from "./params-layer.js";
import { RoundingLayer } from "./rounding-layer.js";
import { WeightedLayer } from "./weighted-layer.js";

// Importing this file registers the library's layers, so that tf.loadLayersModel finds them; bitpress/tfjs does.
for (const layer of [BatchNormLayer, EdgeLayer, OpLayer, ParamsLayer, RoundingLayer, WeightedLayer]) {
  tf.serialization.registerClass(layer);
}
