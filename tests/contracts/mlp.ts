import type { QATTraining, StateDict } from "../../src/index.js";

// The net of NNI's life-cycle vectors, by the caller's own loops: Linear(4, 5) – ReLU – Linear(5, 3), in PyTorch's layout
// [out, in], loss mean((y − target)²), plain SGD.

/** The net's layers; "relu" holds nothing, and is there for config lists that name it. */
export function mlpState(tensors: StateDict): StateDict {
  return { ...tensors, relu: { data: new Float32Array(0), shape: [0], type: "ReLU" } };
}

/** What one training step computed. */
export interface MlpStep {
  readonly y: Float32Array;
  readonly loss: number;
  readonly weightGradients: Readonly<Record<"fc1" | "fc2", Float32Array>>;
}

/** Values of a forward pass that backward needs. */
interface MlpPass {
  readonly x1: Float32Array;
  readonly y1: Float32Array;
  readonly x2: Float32Array;
  readonly w2: Float32Array;
  readonly y: Float32Array;
}

/** The net's output for a batch of rows of 4. */
export function mlpForward({ layers: { fc1, relu, fc2 } }: QATTraining, x: Float32Array): MlpPass {
  const x1 = fc1.input(x);
  const w1 = fc1.weight();
  const y1 = fc1.output(denseRows(x1, w1, fc1.bias()));
  const x2 = fc2.input(relu.output(relu.input(y1).map((value) => Math.max(value, 0))));
  const w2 = fc2.weight();
  return { x1, y1, x2, w2, y: fc2.output(denseRows(x2, w2, fc2.bias())) };
}

/** One step: forward, backward, SGD on the state dict in place, qat.step(). */
export function mlpStep(
  qat: QATTraining,
  state: StateDict,
  { x, target, lr }: { readonly x: Float32Array; readonly target: Float32Array; readonly lr: number },
): MlpStep {
  const { fc1, relu, fc2 } = qat.layers;
  const pass = mlpForward(qat, x);
  const { y } = pass;
  const errors = y.map((value, i) => value - target[i]);
  const loss = errors.reduce((sum, error) => sum + error * error, 0) / y.length;

  const dy2 = fc2.gradient(errors.map((error) => (2 * error) / y.length));
  const dx2 = fc2.inputGradient(inputGradient(dy2, pass.w2, 3));
  const dRelu = relu.gradient(dx2).map((value, i) => (pass.y1[i] > 0 ? value : 0));
  const dy1 = fc1.gradient(relu.inputGradient(dRelu));
  const weightGradients = {
    fc1: fc1.weightGradient(weightGradient(dy1, pass.x1, 5)),
    fc2: fc2.weightGradient(weightGradient(dy2, pass.x2, 3)),
  };
  descend(state["fc1.weight"].data, weightGradients.fc1, lr);
  descend(state["fc2.weight"].data, weightGradients.fc2, lr);
  descend(state["fc1.bias"].data, columnSums(dy1, 5), lr);
  descend(state["fc2.bias"].data, columnSums(dy2, 3), lr);
  qat.step();
  return { y, loss, weightGradients };
}

function descend(weights: Float32Array, gradient: Float32Array, lr: number): void {
  for (let i = 0; i < weights.length; i++) weights[i] -= lr * gradient[i];
}

/** y[n, o] = b[o] + Σ x[n, i] · w[o, i] */
function denseRows(x: Float32Array, w: Float32Array, b: Float32Array): Float32Array {
  const [outputs, inputs] = [b.length, w.length / b.length];
  return Float32Array.from({ length: (x.length / inputs) * outputs }, (_, at) => {
    const [n, o] = [Math.floor(at / outputs), at % outputs];
    let sum = b[o];
    for (let i = 0; i < inputs; i++) sum += x[n * inputs + i] * w[o * inputs + i];
    return sum;
  });
}

/** dx[n, i] = Σ dy[n, o] · w[o, i] */
function inputGradient(dy: Float32Array, w: Float32Array, outputs: number): Float32Array {
  const inputs = w.length / outputs;
  return Float32Array.from({ length: (dy.length / outputs) * inputs }, (_, at) => {
    const [n, i] = [Math.floor(at / inputs), at % inputs];
    let sum = 0;
    for (let o = 0; o < outputs; o++) sum += dy[n * outputs + o] * w[o * inputs + i];
    return sum;
  });
}

/** dw[o, i] = Σ dy[n, o] · x[n, i] */
function weightGradient(dy: Float32Array, x: Float32Array, outputs: number): Float32Array {
  const rows = dy.length / outputs;
  const inputs = x.length / rows;
  return Float32Array.from({ length: outputs * inputs }, (_, at) => {
    const [o, i] = [Math.floor(at / inputs), at % inputs];
    let sum = 0;
    for (let n = 0; n < rows; n++) sum += dy[n * outputs + o] * x[n * inputs + i];
    return sum;
  });
}

function columnSums(dy: Float32Array, columns: number): Float32Array {
  const sums = new Float32Array(columns);
  dy.forEach((value, i) => {
    sums[i % columns] += value;
  });
  return sums;
}
