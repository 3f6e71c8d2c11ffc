import {
  images,
  kernel,
  LAYER_BYTES,
  weights,
  x as input,
  x2,
  x2ImageBytes,
  xImageBytes,
  y as output,
  yImageBytes,
} from "../core/layer-words";
import { addCodes } from "./add-codes";
import { argMax } from "./arg-max";
import { averagePool } from "./average-pool";
import { combineCodes } from "./combine-codes";
import { conv2dDirect } from "./conv2d-direct";
import { copyRows } from "./copy-rows";
import { copyStrided } from "./copy-strided";
import { depthwise3x3 } from "./depthwise-3x3";
import { depthwiseConv2d } from "./depthwise-conv2d";
import { dequantizeF32 } from "./dequantize-f32";
import { fillRows } from "./fill-rows";
import { lookUpCodes } from "./look-up-codes";
import { matrixVector } from "./matrix-vector";
import { maxPool } from "./max-pool";
import { meanCodes } from "./mean-codes";
import { quantizeF32 } from "./quantize-f32";
import { resizeBilinear } from "./resize-bilinear";
import { resizeNearest } from "./resize-nearest";
import { softmax } from "./softmax";
import { winograd } from "./winograd";

/** Runs a layer on one image. Numbers are those of KERNELS in src/wasm/layer-words.ts. */
function runImage(layer: usize, x: usize, x2: usize, y: usize): void {
  switch (kernel(layer)) {
    case 0:
      copyRows(layer, x, y);
      break;
    case 1:
      fillRows(layer, y);
      break;
    case 2:
      conv2dDirect(layer, x, y);
      break;
    case 3:
      matrixVector(layer, x, y);
      break;
    case 4:
      depthwiseConv2d(layer, x, y);
      break;
    case 5:
      winograd(layer, x, y, 2);
      break;
    case 6:
      winograd(layer, x, y, 4);
      break;
    case 7:
      depthwise3x3(layer, x, y);
      break;
    case 8:
      copyStrided(layer, x, y);
      break;
    case 9:
      addCodes(layer, x, x2, y);
      break;
    case 10:
      combineCodes(layer, x, x2, y, 0);
      break;
    case 11:
      combineCodes(layer, x, x2, y, weights(layer));
      break;
    case 12:
      maxPool(layer, x, y);
      break;
    case 13:
      averagePool(layer, x, y);
      break;
    case 14:
      meanCodes(layer, x, y);
      break;
    case 15:
      resizeNearest(layer, x, y);
      break;
    case 16:
      resizeBilinear(layer, x, y);
      break;
    case 17:
      lookUpCodes(layer, x, y);
      break;
    case 18:
      softmax(layer, x, y);
      break;
    case 19:
      argMax(layer, x, y);
      break;
    case 20:
      quantizeF32(layer, x, y);
      break;
    case 21:
      dequantizeF32(layer, x, y);
      break;
    default:
      unreachable();
  }
}

/** Runs `count` > 0 layers, described one behind the other. */
export function runLayers(layer: usize, count: i32): void {
  do {
    let x = input(layer);
    let second = x2(layer);
    let y = output(layer);
    let left = images(layer);
    do {
      runImage(layer, x, second, y);
      x += xImageBytes(layer);
      second += x2ImageBytes(layer);
      y += yImageBytes(layer);
    } while (--left > 0);
    layer += LAYER_BYTES;
  } while (--count > 0);
}
