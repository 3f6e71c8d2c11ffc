/**
 * How a sum of products becomes a code again.
 *
 * `integer`: integers only, rounded once, ties up (bitpress's own rule). `tflite`: TensorFlow Lite's built-in kernels, bit
 * for bit. `float32`: one product in float32, ties to even, as XNNPACK, LiteRT.js, ONNX Runtime and PyTorch do it.
 */
export type RoundingRule = "integer" | "tflite" | "float32";

export const ROUNDING_RULES = ["integer", "tflite", "float32"] as const satisfies readonly RoundingRule[];
