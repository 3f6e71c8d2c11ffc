import { packBits, unpackBits } from "./bitpress.js";
import { compare, type Row } from "./comparison.js";
import { resident } from "./resident.js";
import { ELEMENTS, evenCodes } from "./values.js";

/** Both return fresh arrays, and packing refuses codes that do not fit: all of it is in their time. */
export default async function measure(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const bits of [4, 2, 1] as const) {
    const codes = evenCodes(ELEMENTS, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
    const packed = packBits(codes, bits);
    const from = resident(codes);
    rows.push(
      ...(await compare({
        kernel: `pack ${bits} bits`,
        elements: ELEMENTS,
        resident: () => packBits(from(), bits),
        plain: () => packBits(codes, bits),
        peers: [{ name: "JS loop, fresh array, no check", run: () => packLoop(codes, bits) }],
      })),
      ...(await compare({
        kernel: `unpack ${bits} bits`,
        elements: ELEMENTS,
        resident: () => unpackBits(packed, bits, { length: ELEMENTS, signed: true }),
        peers: [{ name: "JS loop, fresh array", run: () => unpackLoop(packed, bits, ELEMENTS) }],
      })),
    );
  }
  return rows;
}

function packLoop(codes: Int8Array, bits: number): Uint8Array {
  const out = new Uint8Array((codes.length * bits) / 8);
  const mask = 2 ** bits - 1;
  for (let i = 0, at = 0; i < out.length; i++) {
    let byte = 0;
    for (let shift = 0; shift < 8; shift += bits) byte |= (codes[at++] & mask) << shift;
    out[i] = byte;
  }
  return out;
}

function unpackLoop(packed: Uint8Array, bits: number, length: number): Int8Array {
  const out = new Int8Array(length);
  const up = 32 - bits;
  for (let i = 0, at = 0; at < length; i++) {
    const byte = packed[i];
    for (let shift = 0; shift < 8; shift += bits) out[at++] = ((byte >>> shift) << up) >> up;
  }
  return out;
}
