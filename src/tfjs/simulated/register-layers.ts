import * as tf from "@tensorflow/tfjs";
import { BatchNormLayer } from "./batch-norm-layer.js";
import { ClipLayer } from "./clip-layer.js";
import { DorefaLayer } from "./dorefa-layer.js";
import { EdgeLayer } from "./edge-layer.js";
import { OpLayer } from "./op-layer.js";
import { ParamsLayer } from "./params-layer.js";
import { RoundingLayer } from "./rounding-layer.js";
import { WeightedLayer } from "./weighted-layer.js";

// tf.loadLayersModel finds the library's layers by these registrations, so they run when bitpress/tfjs is imported.
for (const layer of [
  BatchNormLayer,
  ClipLayer,
  DorefaLayer,
  EdgeLayer,
  OpLayer,
  ParamsLayer,
  RoundingLayer,
  WeightedLayer,
]) {
  tf.serialization.registerClass(layer);
}
