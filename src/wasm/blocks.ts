import type { Codes } from "../core/grid.js";
import type { ChannelView } from "../core/shape.js";
import type { Kernels } from "./load.js";
import type { Arena } from "./memory.js";

// How arrays meet kernels. Arrays outside linear memory are copied in and out block by block: a block stays in the cache,
// and the scratch they need is bounded whatever the array's size. Arrays that already lie in linear memory (residents) are
// used where they are.

/** Elements per block: 64 KiB of float32. */
const BLOCK = 16384;
/** Vector width of the kernels' main loops, and what the period of their tables is a multiple of. */
const LANES = 16;
/** Rows at least this long are worth a kernel call of their own. */
const LONG_ROW = 64;

/** An array a kernel reads or writes. */
export type KernelArray = Float32Array | Codes;

/** One elementwise kernel over arrays of one length, with parameters per channel. */
export interface ChannelJob {
  readonly view: ChannelView;
  readonly length: number;
  readonly reads: readonly KernelArray[];
  readonly writes: readonly KernelArray[];
  /** Parameters with one entry per channel, for the periodic form. */
  readonly tables: readonly (Float32Array | Int32Array)[];
  /** Runs the kernel on `count` elements that all belong to one channel. Pointers: reads first, then writes. */
  splat(pointers: readonly number[], count: number, channel: number): void;
  /** Runs the kernel on `count` elements; element i uses entry i mod period of each table. */
  periodic(pointers: readonly number[], count: number, tables: readonly number[], period: number): void;
  /** Sees the tables after the last block. */
  finish?(tables: readonly number[], period: number): void;
}

/** Runs a job over its arrays, by rows where channels come in long rows, else with tables. */
export function runChannels({ arena }: Kernels, job: ChannelJob): void {
  const { view, length } = job;
  if (length === 0) return;
  // Before any reservation: it may grow the memory, which detaches arrays over the old buffer; addresses stay.
  const residents = [...job.reads, ...job.writes].map((array) =>
    array.buffer === arena.buffer ? array.byteOffset : undefined,
  );
  arena.scope(() => {
    if (view.channels === 1 || view.inner >= LONG_ROW) {
      overBlocks(arena, job, residents, BLOCK, (operands, pointers, start, count) =>
        overRows(job, operands, pointers, start, count),
      );
      return;
    }
    const period = periodOf(view, length);
    const tables = job.tables.map((table) => repeat(arena, table, view, period));
    const block = Math.max(1, Math.floor(BLOCK / period)) * period;
    overBlocks(arena, job, residents, block, (_operands, pointers, _start, count) =>
      job.periodic(pointers, count, tables, period),
    );
    job.finish?.(tables, period);
  });
}

/** Shortest multiple of the channel pattern that is a multiple of LANES, but no longer than the tensor needs. */
function periodOf({ channels, inner }: ChannelView, length: number): number {
  const pattern = channels * inner;
  let period = pattern;
  while (period % LANES !== 0) period *= 2;
  return Math.min(period, Math.ceil(length / LANES) * LANES);
}

/** Writes a per-channel table to scratch, spread over one period; returns its address. */
function repeat(
  arena: Arena,
  table: Float32Array | Int32Array,
  { channels, inner }: ChannelView,
  period: number,
): number {
  const ptr = arena.reserve(period * 4);
  const target = (table instanceof Float32Array ? arena.f32 : arena.i32).subarray(ptr >>> 2, (ptr >>> 2) + period);
  for (let i = 0; i < period; i++) target[i] = table[Math.floor(i / inner) % channels];
  return ptr;
}

/** An array with its address: fixed for a resident, else scratch that holds one block. */
interface Operand {
  readonly array: KernelArray;
  readonly resident: boolean;
  readonly ptr: number;
}

function overRows(
  { view, splat }: ChannelJob,
  operands: readonly Operand[],
  pointers: number[],
  start: number,
  count: number,
): void {
  const { channels, inner } = view;
  for (let at = start; at < start + count; ) {
    const index = Math.floor(at / inner);
    const next = Math.min(start + count, (index + 1) * inner);
    splat(pointers, next - at, index % channels);
    for (let i = 0; i < pointers.length; i++) {
      pointers[i] += (next - at) * operands[i].array.BYTES_PER_ELEMENT;
    }
    at = next;
  }
}

/** Calls `run` on the addresses of consecutive blocks; arrays outside linear memory pass through scratch. */
function overBlocks(
  arena: Arena,
  { reads, writes, length }: ChannelJob,
  residents: readonly (number | undefined)[],
  block: number,
  run: (operands: readonly Operand[], pointers: number[], start: number, count: number) => void,
): void {
  const arrays = [...reads, ...writes];
  const step = residents.includes(undefined) ? Math.min(block, length) : length;
  const operands = arrays.map((array, i): Operand => {
    const ptr = residents[i];
    if (ptr !== undefined) return { array, resident: true, ptr };
    return { array, resident: false, ptr: arena.reserve(step * array.BYTES_PER_ELEMENT) };
  });
  for (let start = 0; start < length; start += step) {
    const count = Math.min(step, length - start);
    for (const operand of operands.slice(0, reads.length)) copyIn(arena, operand, start, count);
    const pointers = operands.map(({ array, resident, ptr }) =>
      resident ? ptr + start * array.BYTES_PER_ELEMENT : ptr,
    );
    run(operands, pointers, start, count);
    for (const operand of operands.slice(reads.length)) copyOut(arena, operand, start, count);
  }
}

function copyIn(arena: Arena, { array, resident, ptr }: Operand, start: number, count: number): void {
  if (resident) return;
  const bytes = array.BYTES_PER_ELEMENT;
  arena.u8.set(new Uint8Array(array.buffer, array.byteOffset + start * bytes, count * bytes), ptr);
}

function copyOut(arena: Arena, { array, resident, ptr }: Operand, start: number, count: number): void {
  if (resident) return;
  const bytes = array.BYTES_PER_ELEMENT;
  new Uint8Array(array.buffer, array.byteOffset + start * bytes, count * bytes).set(
    arena.u8.subarray(ptr, ptr + count * bytes),
  );
}
