// An ONNX file is one protobuf message. Messages here are lists of fields; field numbers are those of onnx.proto.

const FLOAT = 1;
const INT8 = 3;

/** The bytes of an ONNX model that quantizes a vector `x` to int8 and back, `pairs` times. */
export function quantizeDequantizeModel(
  length: number,
  { scale, zeroPoint }: { readonly scale: number; readonly zeroPoint: number },
  pairs: number,
): Uint8Array {
  const nodes: Uint8Array[] = [];
  for (let i = 0; i < pairs; i++) {
    nodes.push(
      node("QuantizeLinear", [i === 0 ? "x" : `x${i}`, "scale", "zero"], `q${i}`),
      node("DequantizeLinear", [`q${i}`, "scale", "zero"], i === pairs - 1 ? "y" : `x${i + 1}`),
    );
  }
  const graph = message(
    ...nodes.map((bytes) => field(1, bytes)),
    field(2, text("quantize-dequantize")),
    field(5, constant("scale", FLOAT, new Uint8Array(Float32Array.of(scale).buffer))),
    field(5, constant("zero", INT8, Uint8Array.of(zeroPoint))),
    field(11, vector("x", length)),
    field(12, vector("y", length)),
  );
  const operatorSet = message(field(1, text("")), field(2, 13));
  return message(field(1, 8), field(7, graph), field(8, operatorSet));
}

function node(operator: string, inputs: readonly string[], output: string): Uint8Array {
  return message(...inputs.map((name) => field(1, text(name))), field(2, text(output)), field(4, text(operator)));
}

/** A scalar initializer. */
function constant(name: string, type: number, raw: Uint8Array): Uint8Array {
  return message(field(2, type), field(8, text(name)), field(9, raw));
}

/** A float32 vector that goes in or comes out. */
function vector(name: string, length: number): Uint8Array {
  const shape = message(field(1, message(field(1, length))));
  const tensor = message(field(1, FLOAT), field(2, shape));
  return message(field(1, text(name)), field(2, message(field(1, tensor))));
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((bytes) => [...bytes]));
}

/** A number as a varint, bytes with their length before them. */
function field(number: number, value: number | Uint8Array): Uint8Array {
  if (typeof value === "number") return Uint8Array.from([number << 3, ...varint(value)]);
  return Uint8Array.from([(number << 3) | 2, ...varint(value.length), ...value]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
