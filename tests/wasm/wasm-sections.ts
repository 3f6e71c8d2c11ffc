import assert from "node:assert/strict";

/** Ids of the sections of a wasm file. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  global: 6,
  export: 7,
  start: 8,
  code: 10,
  data: 11,
  dataCount: 12,
};

export interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

/** Reads the variable-length numbers and names of a section. */
export function reader(bytes: Uint8Array) {
  let at = 0;
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const byte = (): number => bytes[at++];
  const name = (): string => {
    const length = u32();
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };
  const skip = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return { u32, byte, name, skip, done: () => at >= bytes.length };
}

export function sectionsOf(bytes: Uint8Array): Section[] {
  assert.deepEqual([...bytes.subarray(0, 8)], [0, 97, 115, 109, 1, 0, 0, 0]);
  const { u32, byte, skip, done } = reader(bytes.subarray(8));
  const sections: Section[] = [];
  while (!done()) sections.push({ id: byte(), content: skip(u32()) });
  return sections;
}

/** Names of exported functions by their index; imported functions, of which there are none, would come first. */
function exportedFunctions(sections: readonly Section[]): Map<number, string> {
  const names = new Map<number, string>();
  for (const { content } of sections.filter(({ id }) => id === SECTION.export)) {
    const { u32, byte, name } = reader(content);
    for (let left = u32(); left > 0; left--) {
      const exported = name();
      const kind = byte();
      const index = u32();
      if (kind === 0) names.set(index, exported);
    }
  }
  return names;
}

/**
 * The functions that have an opcode of floating point, scalar or vector: exported ones by name, others as `function <index>`.
 *
 * Source: the WebAssembly core specification, "Binary Format, Instructions".
 */
export function floatFunctions(sections: readonly Section[]): string[] {
  const names = exportedFunctions(sections);
  const found: string[] = [];
  for (const { content } of sections.filter(({ id }) => id === SECTION.code)) {
    const { u32, skip } = reader(content);
    const count = u32();
    for (let index = 0; index < count; index++) {
      if (hasFloat(skip(u32()))) found.push(names.get(index) ?? `function ${index}`);
    }
  }
  return found.sort();
}

/** Whether the body of a function has an opcode of floating point, or locals of such a type. */
function hasFloat(body: Uint8Array): boolean {
  const { u32, byte, skip, done } = reader(body);
  let float = false;
  for (let groups = u32(); groups > 0; groups--) {
    u32();
    const type = byte();
    if (type === 0x7d || type === 0x7c) float = true;
  }
  const memarg = (): void => {
    u32();
    u32();
  };
  while (!done()) {
    const op = byte();
    if (op === 0xfd) {
      const vector = u32();
      assert.ok(vector <= 0xff, `vector opcode ${vector}`);
      if (vector <= 11 || vector === 92 || vector === 93) memarg();
      else if (vector === 12 || vector === 13) skip(16);
      else if (vector >= 21 && vector <= 34) byte();
      else if (vector >= 84 && vector <= 91) {
        memarg();
        byte();
      }
      float ||= isFloatVector(vector);
    } else if (op === 0xfc) {
      const bulk = u32();
      assert.ok(bulk <= 7 || bulk === 10 || bulk === 11, `bulk opcode ${bulk}`);
      if (bulk <= 7) float = true;
      else skip(bulk === 10 ? 2 : 1);
    } else {
      if (op >= 0x28 && op <= 0x3e) memarg();
      else if (op === 0x0e) for (let left = u32() + 1; left > 0; left--) u32();
      else if (op === 0x43) skip(4);
      else if (op === 0x44) skip(8);
      // Blocks, branches, calls, variables, memory.size, memory.grow and integer constants have one number.
      else if (ONE_NUMBER.has(op)) u32();
      else assert.ok(PLAIN(op), `opcode ${op}`);
      float ||= isFloat(op);
    }
  }
  return float;
}

const ONE_NUMBER = new Set([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x3f, 0x40, 0x41, 0x42]);

/** Opcodes without immediates: control, drop, select, and 0x45 to 0xc4. */
const PLAIN = (op: number): boolean =>
  [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b].includes(op) || (op >= 0x45 && op <= 0xc4);

function isFloat(op: number): boolean {
  const loads = op === 0x2a || op === 0x2b || op === 0x38 || op === 0x39;
  const constants = op === 0x43 || op === 0x44;
  const conversions = (op >= 0xa8 && op <= 0xab) || (op >= 0xae && op <= 0xbf);
  return loads || constants || conversions || (op >= 0x5b && op <= 0x66) || (op >= 0x8b && op <= 0xa6);
}

function isFloatVector(op: number): boolean {
  const lanes = op === 19 || op === 20 || (op >= 31 && op <= 34);
  const rounding = (op >= 0x67 && op <= 0x6a) || op === 0x74 || op === 0x75 || op === 0x7a || op === 0x94;
  return lanes || rounding || (op >= 0x41 && op <= 0x4c) || op === 0x5e || op === 0x5f || op >= 0xe0;
}
