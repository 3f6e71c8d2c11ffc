import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { conv2dBackpropFilterCall } from "../wasm/conv2d-backprop-filter.js";
import { depthwiseBackpropFilterCall } from "../wasm/depthwise-backprop-filter.js";
import { depthwiseBackpropInputCall } from "../wasm/depthwise-backprop-input.js";
import { withBuffers } from "./backend-memory.js";
import { type ConvAttributes, convGeometry } from "./conv-geometry.js";

/** What tfjs passes to the kernels of a convolution's gradients. */
interface KernelArguments {
  readonly inputs: Readonly<Record<"x" | "dy" | "filter", tf.TensorInfo>>;
  readonly attrs: ConvAttributes & {
    readonly dataFormat?: "NHWC" | "NCHW";
    readonly filterShape: number[];
    readonly inputShape: number[];
  };
  readonly backend: unknown;
}

const KERNELS = {
  Conv2DBackpropFilter: ({ inputs: { x, dy }, attrs, backend }: KernelArguments) => {
    const geometry = convGeometry(x.shape, attrs.filterShape, attrs, false);
    return withBuffers(backend, conv2dBackpropFilterCall(geometry), [x, dy], [attrs.filterShape]);
  },
  DepthwiseConv2dNativeBackpropFilter: ({ inputs: { x, dy }, attrs, backend }: KernelArguments) => {
    const geometry = convGeometry(x.shape, attrs.filterShape, attrs, true);
    return withBuffers(backend, depthwiseBackpropFilterCall(geometry), [x, dy], [attrs.filterShape]);
  },
  DepthwiseConv2dNativeBackpropInput: ({ inputs: { dy, filter }, attrs, backend }: KernelArguments) => {
    const geometry = convGeometry(attrs.inputShape, filter.shape, attrs, true);
    return withBuffers(backend, depthwiseBackpropInputCall(geometry), [dy, filter], [attrs.inputShape]);
  },
};

/**
 * Lets convolutional networks train on the tfjs wasm backend.
 *
 * Stock tfjs 4.22 has no kernels there for the gradients of convolutions for their weights, and of depthwise convolutions
 * for their input; `fit` ends with "Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'". This registers them,
 * where they are still missing; it replaces nothing, registers no gradient, and does nothing when called again. Other
 * backends are not touched. Gradients equal the cpu backend's to 1e-5, relative to the largest.
 *
 * The kernels work on the backend's own memory without a copy, or on copies where it cannot be reached.
 * Call it once, before or after `tf.setBackend("wasm")`.
 */
export function enableWasmTraining(): void {
  for (const [kernelName, run] of Object.entries(KERNELS)) {
    if (tf.getKernel(kernelName, "wasm")) continue;
    const kernelFunc = (given: object): tf.TensorInfo => {
      const args = given as KernelArguments;
      if (args.attrs.dataFormat === "NCHW") {
        throw new QuantError("unsupported", `${kernelName} on wasm: expected dataFormat NHWC, got NCHW`, {
          kernelName,
        });
      }
      // An array would come out of the op as an array.
      return run(args)[0];
    };
    tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc });
  }
}
