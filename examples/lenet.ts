import * as tf from "@tensorflow/tfjs";

/** A layer to stand directly behind the product of a layer in the middle, named after it. */
export type BehindProduct = (layer: string) => tf.layers.Layer;

/**
 * A LeNet-5-like classifier of 28 × 28 grey images, not trained: two convolutions 5 × 5 (16 and 32 channels) and a dense layer of 128,
 * each with batch norm and ReLU, the convolutions with max pools; then ten classes. 80 000 parameters.
 *
 * @param seed of the weights
 * @param behindProduct what stands behind the products of the second convolution and of the dense layer; by default nothing
 */
export function lenet(seed: number, behindProduct?: BehindProduct): tf.LayersModel {
  const { layers } = tf;
  const kernelInitializer = (place: number) => tf.initializers.heNormal({ seed: 10 * seed + place });
  const conv = (name: string, filters: number, place: number) =>
    layers.conv2d({ name, filters, kernelSize: 5, useBias: false, kernelInitializer: kernelInitializer(place) });
  const batchNorm = (name: string) => layers.batchNormalization({ name, epsilon: 1e-4, momentum: 0.9 });
  const behind = (name: string) => (behindProduct === undefined ? [] : [behindProduct(name)]);
  return tf.sequential({
    name: "lenet",
    layers: [
      layers.inputLayer({ inputShape: [28, 28, 1], name: "image" }),
      conv("conv1", 16, 1),
      batchNorm("conv1_bn"),
      layers.reLU({ name: "conv1_relu" }),
      layers.maxPooling2d({ name: "conv1_pool", poolSize: 2 }),
      conv("conv2", 32, 2),
      ...behind("conv2"),
      batchNorm("conv2_bn"),
      layers.reLU({ name: "conv2_relu" }),
      layers.maxPooling2d({ name: "conv2_pool", poolSize: 2 }),
      layers.flatten({ name: "flat" }),
      layers.dense({ name: "fc1", units: 128, useBias: false, kernelInitializer: kernelInitializer(3) }),
      ...behind("fc1"),
      batchNorm("fc1_bn"),
      layers.reLU({ name: "fc1_relu" }),
      layers.dense({ name: "fc2", units: 10, activation: "softmax", kernelInitializer: kernelInitializer(4) }),
    ],
  });
}
