import * as tf from "@tensorflow/tfjs";
import { resizeAxis, resizeBits } from "../../reference/resize-positions.js";

/** How tfjs's upsampling lays images over each other: output pixel i at i / factor. */
const POSITIONS = { alignCorners: false, halfPixelCenters: false } as const;

/**
 * Bilinear upsampling with the weights that integers have: whole steps of 2^−10 along each axis.
 *
 * They are those of tf.image.resizeBilinear where factors are powers of two; elsewhere up to 2^−11 beside them, which moves codes by up to
 * a quarter. Two matrix products, so that gradients exist on every backend.
 *
 * @param x [batch, height, width, channels]
 *
 * Source: src/reference/resize-positions.ts.
 */
export function resizeOnGrid(x: tf.Tensor4D, [outHeight, outWidth]: readonly [number, number]): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = x.shape;
    const rows = x.reshape([batch, height, width * channels]) as tf.Tensor3D;
    const tall = tf.matMul(weightsOf(height, outHeight), rows);
    const columns = tall.reshape([batch * outHeight, width, channels]) as tf.Tensor3D;
    return tf.matMul(weightsOf(width, outWidth), columns).reshape([batch, outHeight, outWidth, channels]);
  });
}

/** One axis as a matrix [1, out, in]: each output pixel's weights of the input's. */
function weightsOf(inSize: number, outSize: number): tf.Tensor3D {
  const { lower, upper, weight } = resizeAxis(inSize, outSize, POSITIONS, "integer");
  const unit = 2 ** resizeBits("integer");
  const matrix = new Float32Array(outSize * inSize);
  for (let i = 0; i < outSize; i++) {
    matrix[i * inSize + upper[i]] += weight[i] / unit;
    matrix[i * inSize + lower[i]] += 1 - weight[i] / unit;
  }
  return tf.tensor3d(matrix, [1, outSize, inSize]);
}
