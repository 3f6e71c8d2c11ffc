// A safetensors file put together and taken apart from the format's description alone, sharing nothing with src: the
// judge of our reader and writer.

/** A file of any header text, valid or not, and data. */
export function fileOf(header: string | object, data: Uint8Array | number = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + json.length + body.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(body, 8 + json.length);
  return file;
}

/** The header's text, without its padding, and the header as an object. */
export function headerOf(file: Uint8Array): {
  text: string;
  header: Readonly<Record<string, unknown>>;
  dataStart: number;
} {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(file.subarray(8, 8 + length));
  return { text: text.trimEnd(), header: JSON.parse(text), dataStart: 8 + length };
}

/** Every tensor as plain numbers, read element by element; names its offset in the file too. */
export function decodeByHand(
  file: Uint8Array,
): Map<string, { dtype: string; shape: number[]; at: number; values: number[] }> {
  const { header, dataStart } = headerOf(file);
  const view = new DataView(file.buffer, file.byteOffset);
  const readers: Record<string, [number, (at: number) => number]> = {
    F32: [4, (at) => view.getFloat32(at, true)],
    F64: [8, (at) => view.getFloat64(at, true)],
    I8: [1, (at) => view.getInt8(at)],
    U8: [1, (at) => view.getUint8(at)],
    BOOL: [1, (at) => view.getUint8(at)],
    I16: [2, (at) => view.getInt16(at, true)],
    U16: [2, (at) => view.getUint16(at, true)],
    F16: [2, (at) => view.getUint16(at, true)],
    BF16: [2, (at) => view.getUint16(at, true)],
    I32: [4, (at) => view.getInt32(at, true)],
    I64: [8, (at) => Number(view.getBigInt64(at, true))],
  };
  const tensors = new Map();
  for (const [name, entry] of Object.entries(
    header as Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>,
  )) {
    if (name === "__metadata__") continue;
    const [size, read] = readers[entry.dtype];
    const at = dataStart + entry.data_offsets[0];
    const values = Array.from({ length: entry.shape.reduce((a, b) => a * b, 1) }, (_, i) => read(at + i * size));
    if (at + values.length * size !== dataStart + entry.data_offsets[1]) throw new Error(`size of ${name}`);
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape, at, values });
  }
  return tensors;
}

/** The real values of a quantized tensor: packed codes unpacked bit by bit, then scale · (q − zero point). */
export function dequantizeByHand(file: Uint8Array, name: string): number[] {
  const { header } = headerOf(file);
  const metadata = header.__metadata__ as { quantization: string };
  const { bits, qmin, axis, shape, packed } = JSON.parse(metadata.quantization).tensors[name];
  const tensors = decodeByHand(file);
  const stored = tensors.get(name)?.values as number[];
  const scale = tensors.get(`${name}_scale`)?.values as number[];
  const zeroPoint = tensors.get(`${name}_zero_point`)?.values ?? scale.map(() => 0);
  const length = shape.reduce((a: number, b: number) => a * b, 1);
  const inner = axis === undefined ? length : shape.slice(axis + 1).reduce((a: number, b: number) => a * b, 1);
  return Array.from({ length }, (_, i) => {
    let code = stored[i];
    if (packed) {
      code = 0;
      for (let bit = 0; bit < bits; bit++) {
        const at = i * bits + bit;
        code += ((stored[Math.floor(at / 8)] >> (at % 8)) & 1) * 2 ** bit;
      }
      if (qmin < 0 && code >= 2 ** (bits - 1)) code -= 2 ** bits;
    }
    const channel = Math.floor(i / inner) % scale.length;
    return Math.fround((code - zeroPoint[channel]) * scale[channel]);
  });
}
