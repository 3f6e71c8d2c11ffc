import { expectThat, quoted } from "../core/expect-that.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { nodeLabel } from "./node-label.js";
import type {
  Int8Tensor,
  IntegerWeightedNode,
  QuantizedGraph,
  QuantizedNode,
  QuantizedTensor,
} from "./quantized-graph.js";
import { inferQuantizedShape, isQuantizedShape, MAX_RANK } from "./quantized-shapes.js";
import { sameShape } from "./same-shape.js";

/** Ops whose output has the parameters of its inputs. */
const KEEPS_PARAMETERS: ReadonlySet<string> = new Set([
  "concat",
  "maxPool2d",
  "averagePool2d",
  "pad",
  "reshape",
  "transpose",
  "stridedSlice",
  "resizeNearest",
  "resizeBilinear",
]);

/** Parameters of the output that TensorFlow Lite's quantization spec fixes: [scale, zeroPoint]. */
const FIXED_PARAMETERS: Readonly<Record<string, readonly [number, number]>> = {
  logistic: [1 / 256, -128],
  softmax: [1 / 256, -128],
  tanh: [1 / 128, 0],
};

/**
 * Checks everything that whoever runs or writes a quantized graph relies on.
 *
 *  - names: every tensor has one source (input, constant or node) and stands in `tensors`; nodes have names of their own and
 *    stand in topological order; outputs come from nodes; there are no strays
 *  - shapes: sizes ≥ 1, fewer than 2^31 elements, and what each op makes of its inputs
 *  - types: float32 before `quantize` and after `dequantize` only, int32 after `argMax` only, constants in arithmetic only
 *  - parameters: scales are float32, finite and > 0; zero points and qmin lie on the int8 grid; ops that move codes keep
 *    their parameters, and the outputs of softmax, logistic and tanh have those of TensorFlow Lite's spec
 *  - weights: as many codes, scales and biases as their shapes say; codes fit weightBits. −128 is allowed among 8-bit codes:
 *    the spec keeps to −127…127, but its kernels, and ours, compute with it, and files that hold it exist
 *  - sums: |bias| + Σ|w|·255 < 2^31 in every channel, so that an int32 holds every partial sum whatever the input
 *  - multipliers: what codes are multiplied by on their way to the output's grid is below 2^8
 *
 * Errors: QuantError `invalid-model`, naming the node or tensor.
 * Source: TensorFlow Lite 8-bit quantization specification; docs/formats.md.
 *
 * @example
 * const graph = readTflite(await readFile("model.tflite"));
 * validateQuantizedGraph({ ...graph, name: "mine" });
 */
export function validateQuantizedGraph(graph: QuantizedGraph): void {
  const { inputs, outputs, tensors, nodes } = graph;
  const sources = new Set<string>();
  const declare = (where: string, name: string): QuantizedTensor => {
    expect(typeof name === "string" && name !== "" && name !== "__proto__", where, "tensors with names", quoted(name));
    expect(Object.hasOwn(tensors, name), where, "its tensors in graph.tensors", `no ${quoted(name)}`);
    expect(!sources.has(name), where, "tensors that nothing else gives", quoted(name));
    sources.add(name);
    checkTensor(name, tensors[name]);
    return tensors[name];
  };
  for (const input of inputs) {
    const tensor = declare("graph inputs", input);
    expect(tensor.dtype !== "int32", "graph inputs", "int8 or float32", `int32 ${quoted(input)}`);
    const free = tensor.dtype !== "int8" || (tensor.data === undefined && tensor.qmin === undefined);
    expect(free, "graph inputs", "tensors without data and qmin", quoted(input));
  }
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.dtype === "int8" && tensor.data !== undefined && !sources.has(name)) declare("graph tensors", name);
  }
  const names = new Set<string>();
  const read = new Set<string>();
  for (const node of nodes) {
    const where = nodeLabel(node);
    expect(!names.has(node.name), where, "a name of its own", "the name of another node");
    names.add(node.name);
    for (const input of node.inputs) {
      expect(sources.has(input), where, "inputs that come before it", quoted(input));
      read.add(input);
    }
    const output = declare(where, node.output);
    checkNode(
      node,
      node.inputs.map((name) => tensors[name]),
      output,
    );
  }
  const made = new Set(nodes.map(({ output }) => output));
  for (const output of outputs) {
    expect(made.delete(output), "graph outputs", "distinct outputs of nodes", quoted(output));
  }
  expect(outputs.length > 0, "graph outputs", "at least one", "none");
  for (const [name, tensor] of Object.entries(tensors)) {
    const used = sources.has(name) && (!isConstant(tensor) || read.has(name));
    expect(used, "graph tensors", "inputs, outputs of nodes and constants that are read", quoted(name));
  }
}

function expect(fits: boolean, where: string, expected: string, actual: unknown): asserts fits {
  expectThat(fits, "invalid-model", where, expected, actual);
}

function isConstant(tensor: QuantizedTensor): boolean {
  return tensor.dtype === "int8" && tensor.data !== undefined;
}

function isScale(scale: number): boolean {
  return scale > 0 && scale < Number.POSITIVE_INFINITY && Math.fround(scale) === scale;
}

function checkTensor(name: string, tensor: QuantizedTensor): void {
  const where = `tensor ${quoted(name)}`;
  const { shape } = tensor;
  expect(isQuantizedShape(shape), where, `at most ${MAX_RANK} sizes ≥ 1, of < 2^31 elements`, formatShape(shape));
  if (tensor.dtype !== "int8") return;
  const { scale, zeroPoint, qmin = -127, data } = tensor;
  expect(isScale(scale), where, "a finite float32 scale > 0", scale);
  expect(isInt8(zeroPoint), where, "a zeroPoint in [-128, 127]", zeroPoint);
  expect(isInt8(qmin) && qmin > -128, where, "a qmin in [-127, 127]", qmin);
  if (data === undefined) return;
  expect(data.length === sizeOf(shape), where, `${sizeOf(shape)} codes for ${formatShape(shape)}`, data.length);
  expect(tensor.qmin === undefined, where, "a constant without qmin", qmin);
}

function isInt8(code: number): boolean {
  return Number.isInteger(code) && code >= -128 && code <= 127;
}

function checkNode(node: QuantizedNode, inputs: readonly QuantizedTensor[], output: QuantizedTensor): void {
  const where = nodeLabel(node);
  const allInt8 = inputs.every(({ dtype }) => dtype === "int8");
  const readsFloat = node.op === "quantize" && inputs.every(({ dtype }) => dtype === "float32");
  const dtypes = inputs.map(({ dtype }) => dtype).join(", ");
  expect(allInt8 || readsFloat, where, `${node.op === "quantize" ? "float32 or " : ""}int8 inputs`, dtypes);
  const written = node.op === "dequantize" ? "float32" : node.op === "argMax" ? "int32" : "int8";
  expect(output.dtype === written, where, `an output of ${written}`, output.dtype);
  const constants = inputs.filter(isConstant).length;
  const mayHave = node.op === "add" || node.op === "subtract" || node.op === "multiply" ? 1 : 0;
  expect(constants <= mayHave, where, mayHave === 1 ? "at most one constant" : "no constants", constants);

  const shapes = inputs.map(({ shape }) => shape);
  if ("weights" in node) checkWeightsShape(node);
  const shape = inferQuantizedShape(node, shapes, output.shape);
  expect(sameShape(shape, output.shape), where, `output ${formatShape(shape)}`, formatShape(output.shape));
  if (output.dtype === "int8" && allInt8) checkParameters(node, inputs as readonly Int8Tensor[], output);
  if (node.op === "leakyRelu") {
    const finite = Number.isFinite(node.alpha) && Math.fround(node.alpha) === node.alpha;
    expect(finite, where, "a finite float32 alpha", node.alpha);
  }
  if (node.op === "softmax") expect(isScale(node.beta), where, "a finite float32 beta > 0", node.beta);
}

function checkParameters(node: QuantizedNode, inputs: readonly Int8Tensor[], output: Int8Tensor): void {
  const where = nodeLabel(node);
  if (KEEPS_PARAMETERS.has(node.op)) {
    for (const input of inputs) {
      const same = input.scale === output.scale && input.zeroPoint === output.zeroPoint;
      expect(same, where, `inputs of ${parameters(output)}, like its output`, parameters(input));
    }
  }
  if (Object.hasOwn(FIXED_PARAMETERS, node.op)) {
    const [scale, zeroPoint] = FIXED_PARAMETERS[node.op];
    const fixed = output.scale === scale && output.zeroPoint === zeroPoint;
    expect(fixed, where, `an output of ${parameters({ scale, zeroPoint })}`, parameters(output));
  }
  const [x, y] = inputs;
  switch (node.op) {
    case "conv2d":
    case "depthwiseConv2d":
    case "fullyConnected":
      checkSums(node);
      checkMultiplier(where, (x.scale * node.weightScales.reduce((a, b) => Math.max(a, b))) / output.scale);
      break;
    case "add":
    case "subtract":
      checkMultiplier(where, Math.max(x.scale, y.scale) / output.scale);
      break;
    case "multiply":
      checkMultiplier(where, (x.scale * y.scale) / output.scale);
      break;
    case "mean":
      checkCount(where, sizeOf(x.shape) / sizeOf(output.shape));
      checkMultiplier(where, x.scale / output.scale);
      break;
    case "averagePool2d":
      checkCount(where, Math.min(x.shape[1], node.poolSize[0]) * Math.min(x.shape[2], node.poolSize[1]));
      break;
    case "quantize":
      checkMultiplier(where, x.scale / output.scale);
      break;
  }
}

function checkCount(where: string, count: number): void {
  expect(count * 255 < 2 ** 31, where, "sums of fewer than 2^31 / 255 codes", count);
}

function parameters({ scale, zeroPoint }: Pick<Int8Tensor, "scale" | "zeroPoint">): string {
  return `scale ${scale} and zeroPoint ${zeroPoint}`;
}

function checkMultiplier(where: string, multiplier: number): void {
  expect(multiplier < 256, where, "input scales below 2^8 output scales", multiplier);
}

function channelsOf(node: IntegerWeightedNode): number {
  return node.op === "depthwiseConv2d" ? node.weightsShape[2] : node.weightsShape[0];
}

function checkWeightsShape(node: IntegerWeightedNode): void {
  const where = nodeLabel(node);
  const { weights, weightsShape, weightBits, weightScales, bias } = node;
  const rank = { conv2d: 4, depthwiseConv2d: 3, fullyConnected: 2 }[node.op];
  const shaped = isQuantizedShape(weightsShape) && weightsShape.length === rank;
  expect(shaped, where, `weights of ${rank} sizes ≥ 1`, formatShape(weightsShape));
  const size = sizeOf(weightsShape);
  expect(weights.length === size, where, `${size} weights for ${formatShape(weightsShape)}`, weights.length);
  const channels = channelsOf(node);
  const perChannel = weightScales.length === 1 || weightScales.length === channels;
  expect(perChannel, where, `1 or ${channels} weight scales`, weightScales.length);
  for (const scale of weightScales) expect(isScale(scale), where, "finite weight scales > 0", scale);
  if (bias !== undefined) expect(bias.length === channels, where, `a bias of ${channels}`, bias.length);
  if (node.op === "depthwiseConv2d") {
    const counts = Number.isInteger(node.multiplier) && node.multiplier >= 1;
    expect(counts, where, "an integer multiplier ≥ 1", node.multiplier);
  }
  expect(weightBits === 8 || weightBits === 4, where, "weightBits of 8 or 4", weightBits);
  if (weightBits === 8) return;
  const misfit = weights.find((code) => code < -8 || code > 7);
  expect(misfit === undefined, where, "weights in [-8, 7] for 4 bits", misfit as number);
}

/** |bias| + Σ|w|·255 < 2^31: x − zeroPoint lies in [−255, 255], so that no order of summation overflows an int32. */
function checkSums(node: IntegerWeightedNode): void {
  const { weights, bias } = node;
  const channels = channelsOf(node);
  const depth = weights.length / channels;
  // Where the weights of channel c begin, and how far apart they lie.
  const [begin, step] = node.op === "depthwiseConv2d" ? [1, channels] : [depth, 1];
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += Math.abs(weights[c * begin + k * step]);
    const bound = Math.abs(bias?.[c] ?? 0) + sum * 255;
    expect(bound < 2 ** 31, nodeLabel(node), `|bias| + 255·Σ|weights| < 2^31 in channel ${c}`, bound);
  }
}
