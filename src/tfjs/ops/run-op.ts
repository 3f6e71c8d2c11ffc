import * as tf from "@tensorflow/tfjs";

// How the library adds differentiable ops to tfjs.
//
// * Gradients in tfjs are global, not one per backend: a stock op's gradient cannot be replaced for one backend without
//   breaking the others. So an op has kernels and a gradient under names of its own, and nothing stock is touched.
// * They are registered when an op first runs, not when this module is imported.
// * On a backend without the op's kernels the op is a composition of stock ops, with their gradients.

/** What a kernel of the library is called with. */
export interface OpCall<Attributes> {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attrs: Attributes;
  readonly backend: unknown;
  readonly backendName: string;
}

/** A kernel: one tensor, or an array of as many as the op has. */
export type OpKernel<Attributes> = (call: OpCall<Attributes>) => tf.TensorInfo | tf.TensorInfo[];

/** An op and its gradient. */
export interface Op<Attributes = object> {
  /** Of the kernel and of the gradient. */
  readonly name: string;
  /** The op's kernel under its name, and those that the gradient runs. */
  readonly kernels: Readonly<Record<string, OpKernel<Attributes>>>;
  readonly inputsToSave?: string[];
  readonly outputsToSave?: boolean[];
  /** Gradients of the inputs, each made when it is asked for. `dys`: one for each output. */
  readonly gradient: (dys: tf.Tensor[], saved: tf.Tensor[], attrs: Attributes) => Record<string, () => tf.Tensor>;
}

/** The backends whose tensors the kernels work on. */
const BACKENDS = ["cpu", "wasm"];

/**
 * Runs an op, recorded for gradients; returns its outputs, or undefined where the backend at work has no kernel of its name.
 *
 * Errors: TypeError for an input that is not float32.
 */
export function runOp<Attributes extends object>(
  op: Op<Attributes>,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attrs: Attributes,
): tf.Tensor[] | undefined {
  for (const [name, { dtype }] of Object.entries(inputs)) {
    if (dtype !== "float32") throw new TypeError(`${op.name}: expected ${name} to be float32, got ${dtype}`);
  }
  register(op);
  return tf.getKernel(op.name, tf.getBackend()) === undefined ? undefined : runKernel(op.name, inputs, attrs);
}

/** Runs a registered kernel; returns its outputs. */
export function runKernel(name: string, inputs: Readonly<Record<string, tf.Tensor>>, attrs: object = {}): tf.Tensor[] {
  const result = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, inputs, attrs as tf.NamedAttrMap);
  return Array.isArray(result) ? result : [result];
}

/** Calls the kernel that the backend has for a stock op. */
export function stockKernel<Attributes extends object>(
  name: string,
  { inputs, attrs, backend, backendName }: OpCall<Attributes>,
): tf.TensorInfo | tf.TensorInfo[] {
  return tf
    .getKernel(name, backendName)
    .kernelFunc({ inputs, attrs: attrs as tf.NamedAttrMap, backend: backend as object });
}

function register<Attributes>({
  name,
  kernels,
  inputsToSave = [],
  outputsToSave = [],
  gradient,
}: Op<Attributes>): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    for (const backendName of BACKENDS) {
      if (tf.getKernel(kernelName, backendName) !== undefined) continue;
      tf.registerKernel({
        kernelName,
        backendName,
        kernelFunc: ({ inputs, attrs, backend }) =>
          kernel({ inputs: inputs as Record<string, tf.TensorInfo>, attrs: attrs as Attributes, backend, backendName }),
      });
    }
  }
  if (tf.getGradient(name) !== undefined) return;
  tf.registerGradient({
    kernelName: name,
    inputsToSave,
    outputsToSave,
    gradFunc: (dy, saved, attrs) => gradient(Array.isArray(dy) ? dy : [dy], saved, attrs as Attributes),
  });
}
