// Quantization-aware training without a framework: forward, backward and the optimizer are the loops below, and the library
// is called where a value is rounded.
//
//   node --import tsx examples/plain-arrays.ts            20 000 digits of MNIST, about 15 seconds
//   node --import tsx examples/plain-arrays.ts --quick    2 000 digits, as a test does
//
// A net of two dense layers is trained in float, rounded to few bits without and with training, and stored in integers.
import { backend, type QATOptions, QATQuantizer, type QATTraining, writeSafetensors } from "bitpress";
import { firstImages, mnist } from "./data/idx.js";

const INPUTS = 28 * 28;
const HIDDEN = 64;
const CLASSES = 10;
const BATCH = 32;

const [argument] = process.argv.slice(2);
if (argument !== undefined && argument !== "--quick") {
  console.error(`plain-arrays: expected no argument or --quick, got ${JSON.stringify(argument)}`);
  process.exit(1);
}
const quick = argument === "--quick";
const started = performance.now();
const digits = firstImages(mnist("train"), quick ? 2_000 : 20_000);
const tests = firstImages(mnist("t10k"), quick ? 1_000 : 10_000);

// Layout tfjs, [in, out]: a row of the weights belongs to one input, so that black pixels cost nothing.
const weights = {
  "fc1.weight": { data: randomWeights(INPUTS, HIDDEN), shape: [INPUTS, HIDDEN] },
  "fc1.bias": { data: new Float32Array(HIDDEN), shape: [HIDDEN] },
  "fc2.weight": { data: randomWeights(HIDDEN, CLASSES), shape: [HIDDEN, CLASSES] },
  "fc2.bias": { data: new Float32Array(CLASSES), shape: [CLASSES] },
};
type Weights = typeof weights;
type Name = keyof Weights;
type Gradients = Record<Name, Float32Array>;

console.log(`bitpress on its ${backend()} build; ${digits.count} digits, ${tests.count} to test`);
const float = new QATQuantizer([]).compress(weights, { layout: "tfjs" }); // an empty config list quantizes nothing
train("float", weights, float, 3, 3e-3);
const rows = [
  ["float", "", points(accuracy(float)), writeSafetensors(weights).length],
  quantized("w4a4", { weightBits: 4, activationBits: 4 }),
  quantized("w2a4", { weightBits: 2, activationBits: 4 }),
];
console.log("\n| net | untrained | trained | file bytes |\n|---|---|---|---|");
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
console.log(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);

/** A row of the table: a copy of the float net rounded to few bits, as it is and after an epoch of training. */
function quantized(name: string, options: QATOptions): (string | number)[] {
  const quantizer = new QATQuantizer(options);
  const untrained = quantizer.compress(weights, { layout: "tfjs" });
  forward(untrained, firstImages(digits, 1_000).images); // sees the ranges
  const master = structuredClone(weights);
  const qat = quantizer.compress(master, { layout: "tfjs" });
  train(name, master, qat, 1, 2e-3);
  const file = writeSafetensors(qat.exportModel().weights);
  return [name, points(accuracy(untrained)), points(accuracy(qat)), file.length];
}

function points(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Class scores of a batch, and what the backward pass needs. */
function forward({ layers: { fc1, fc2 } }: QATTraining, images: Float32Array) {
  const x1 = fc1.input(images);
  const w1 = fc1.weight();
  const y1 = dense(x1, w1, fc1.bias(), HIDDEN);
  const relu = y1.map((value) => Math.max(0, value));
  // One quantizer per value: what leaves fc1 enters fc2, so only fc2.input is called.
  const x2 = fc2.input(relu);
  const w2 = fc2.weight();
  const y2 = dense(x2, w2, fc2.bias(), CLASSES);
  return { x1, y1, x2, w2, scores: fc2.output(y2) };
}

/** Gradients of the mean cross-entropy, and its value; each hook's gradient stands where the hook stood. */
function backward({ layers: { fc1, fc2 } }: QATTraining, pass: ReturnType<typeof forward>, labels: Uint8Array) {
  const { loss, gradient } = crossEntropy(pass.scores, labels);
  const dy2 = fc2.gradient(gradient);
  const relu = fc2.inputGradient(denseInputGradient(dy2, pass.w2, HIDDEN, CLASSES));
  const dy1 = relu.map((value, i) => (pass.y1[i] > 0 ? value : 0));
  const gradients: Gradients = {
    "fc1.weight": fc1.weightGradient(denseWeightGradient(dy1, pass.x1, INPUTS, HIDDEN)),
    "fc1.bias": columnSums(dy1, HIDDEN),
    "fc2.weight": fc2.weightGradient(denseWeightGradient(dy2, pass.x2, HIDDEN, CLASSES)),
    "fc2.bias": columnSums(dy2, CLASSES),
  };
  return { loss, gradients };
}

/** Trains the weights in place with Adam; the learning rate falls to nothing. */
function train(what: string, master: Weights, model: QATTraining, epochs: number, learningRate: number): void {
  const update = adam(master);
  const steps = epochs * Math.floor(digits.count / BATCH);
  let loss = 0;
  for (let step = 1; step <= steps; step++) {
    const at = ((step - 1) * BATCH) % (digits.count - BATCH + 1);
    const pass = forward(model, digits.images.subarray(at * INPUTS, (at + BATCH) * INPUTS));
    const result = backward(model, pass, digits.labels.subarray(at, at + BATCH));
    update(result.gradients, learningRate * (1 - step / steps));
    model.step();
    loss += (result.loss - loss) / Math.min(step, 100);
    if (step % 400 === 0 || step === steps) console.log(`${what}: step ${step} of ${steps}, loss ${loss.toFixed(3)}`);
  }
}

function adam(master: Weights): (gradients: Gradients, rate: number) => void {
  const names = Object.keys(master) as Name[];
  const [means, squares] = [0, 1].map(() => names.map((name) => new Float32Array(master[name].data.length)));
  let step = 0;
  return (gradients, rate) => {
    step++;
    const corrected = (rate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
    names.forEach((name, n) => {
      const [{ data }, gradient, m, v] = [master[name], gradients[name], means[n], squares[n]];
      for (let i = 0; i < data.length; i++) {
        m[i] += 0.1 * (gradient[i] - m[i]);
        v[i] += 0.001 * (gradient[i] * gradient[i] - v[i]);
        data[i] -= (corrected * m[i]) / (Math.sqrt(v[i]) + 1e-8);
      }
    });
  };
}

/** Share of test images whose largest score is at their label, as the integers will have it. */
function accuracy(model: QATTraining): number {
  const { images, labels, count } = tests;
  model.training = false;
  const { scores } = forward(model, images);
  model.training = true;
  let right = 0;
  for (let n = 0; n < count; n++) {
    const row = scores.subarray(n * CLASSES, (n + 1) * CLASSES);
    if (row.indexOf(Math.max(...row)) === labels[n]) right++;
  }
  return right / count;
}

/** y[n, o] = b[o] + Σ x[n, i] · w[i, o] */
function dense(x: Float32Array, w: Float32Array, b: Float32Array, outputs: number): Float32Array {
  const inputs = w.length / outputs;
  const rows = x.length / inputs;
  const y = new Float32Array(rows * outputs);
  for (let n = 0; n < rows; n++) {
    const row = y.subarray(n * outputs, (n + 1) * outputs);
    row.set(b);
    for (let i = 0; i < inputs; i++) {
      const value = x[n * inputs + i];
      if (value === 0) continue;
      for (let o = 0; o < outputs; o++) row[o] += value * w[i * outputs + o];
    }
  }
  return y;
}

/** dx[n, i] = Σ dy[n, o] · w[i, o] */
function denseInputGradient(dy: Float32Array, w: Float32Array, inputs: number, outputs: number): Float32Array {
  const dx = new Float32Array((dy.length / outputs) * inputs);
  for (let at = 0; at < dx.length; at++) {
    const [n, i] = [Math.floor(at / inputs), at % inputs];
    for (let o = 0; o < outputs; o++) dx[at] += dy[n * outputs + o] * w[i * outputs + o];
  }
  return dx;
}

/** dw[i, o] = Σ x[n, i] · dy[n, o] */
function denseWeightGradient(dy: Float32Array, x: Float32Array, inputs: number, outputs: number): Float32Array {
  const dw = new Float32Array(inputs * outputs);
  for (let at = 0; at < x.length; at++) {
    if (x[at] === 0) continue;
    const [n, i] = [Math.floor(at / inputs), at % inputs];
    for (let o = 0; o < outputs; o++) dw[i * outputs + o] += x[at] * dy[n * outputs + o];
  }
  return dw;
}

function columnSums(dy: Float32Array, columns: number): Float32Array {
  const sums = new Float32Array(columns);
  for (let i = 0; i < dy.length; i++) sums[i % columns] += dy[i];
  return sums;
}

/** Mean of −log softmax(scores)[label], and its gradient (softmax − one-hot) / rows. */
function crossEntropy(scores: Float32Array, labels: Uint8Array): { loss: number; gradient: Float32Array } {
  const gradient = new Float32Array(scores.length);
  let loss = 0;
  for (let n = 0; n < labels.length; n++) {
    const row = scores.subarray(n * CLASSES, (n + 1) * CLASSES);
    const largest = Math.max(...row);
    const powers = row.map((score) => Math.exp(score - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    for (let c = 0; c < CLASSES; c++) {
      gradient[n * CLASSES + c] = (powers[c] / sum - (c === labels[n] ? 1 : 0)) / labels.length;
    }
    loss -= Math.log(powers[labels[n]] / sum) / labels.length;
  }
  return { loss, gradient };
}

/** Uniform in ±√(6 / inputs), the same in every run (mulberry32). */
function randomWeights(inputs: number, outputs: number): Float32Array {
  const limit = Math.sqrt(6 / inputs);
  let state = inputs;
  return Float32Array.from({ length: inputs * outputs }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1) * limit;
  });
}
