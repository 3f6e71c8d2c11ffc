// How smoke checks compare and report, with nothing but the language.

/** What a host found. */
export interface SmokeReport {
  /** The implementation that was at work. */
  readonly backend: string;
  /** Number of comparisons made. */
  readonly checks: number;
  /** One line per comparison that failed. */
  readonly wrong: readonly string[];
}

/** Compares an array, described by its type and bytes, or a text. */
export type Check = (name: string, actual: ArrayBufferView | string, expected: string) => void;

/** Runs checks; asks for the implementation at work when they are done. */
export function reportOf(backend: () => string, run: (check: Check) => void): SmokeReport {
  const wrong: string[] = [];
  let checks = 0;
  run((name, actual, expected) => {
    const found = typeof actual === "string" ? actual : describe(actual);
    checks++;
    if (found !== expected) wrong.push(`${name}: expected ${expected}, got ${found}`);
  });
  return { backend: backend(), checks, wrong };
}

/** Values in [-3, 3) from a linear congruential generator: the same float32s everywhere. */
export function pseudoRandom(length: number): Float32Array {
  let state = 1;
  return new Float32Array(length).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * 3;
  });
}

/** `Int8Array 01fe07`, or `Int8Array[1048576] fnv1a 1a2b3c4d` for long ones. */
function describe(array: ArrayBufferView): string {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const type = array.constructor.name;
  if (bytes.length <= 64) return `${type} ${Array.from(bytes, hex).join("")}`;
  return `${type}[${(array as Uint8Array).length}] fnv1a ${(fnv1a(bytes) >>> 0).toString(16).padStart(8, "0")}`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** FNV-1a, 32 bits. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}
