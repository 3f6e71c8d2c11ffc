import type { Codes } from "../core/grid.js";
import type { ChannelView } from "../core/shape.js";
import type { Kernels } from "./load.js";
import type { Arena } from "./memory.js";

// How arrays meet kernels. Arrays outside linear memory are copied in and out block by block: a block stays in the cache,
// and the scratch they need is bounded whatever the array's size. Arrays that already lie in linear memory (residents) are
// used where they are.

/** Elements per block: 64 KiB of float32. */
const BLOCK = 16384;
/** Elements that the kernels' main loops take at a time; tables reach one less than that over the end of their period. */
const LANES = 16;
/** Tables up to this long are made a multiple of LANES long, so that kernels read and update them in the same pieces. */
const SHORT_PERIOD = 1024;
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
  /** Runs the kernel on `count` elements; element i uses entry i mod period of each table, or the one a period later. */
  periodic(pointers: readonly number[], count: number, tables: readonly number[], period: number): void;
  /** Sees tables before they are written anew or given up: entry i is that of element start + i, i < count. */
  finish?(tables: readonly number[], start: number, count: number): void;
}

/** Runs a job over its arrays, by rows where channels come in long rows, else with tables. */
export function runChannels({ arena }: Kernels, job: ChannelJob): void {
  const { view, length } = job;
  if (length === 0) return;
  // Before any reservation: it may grow the memory, which detaches arrays over the old buffer; addresses stay.
  const residents: (number | undefined)[] = [];
  for (const array of job.reads) residents.push(residentPtr(arena, array));
  for (const array of job.writes) residents.push(residentPtr(arena, array));
  if (view.channels === 1 && !residents.includes(undefined)) {
    job.splat(residents as number[], length, 0); // the short way: nothing to copy, nothing to reserve
    return;
  }
  arena.scope(() => {
    if (view.channels > 1 && view.inner < LONG_ROW) {
      overTables(arena, job, residents);
      return;
    }
    const step = residents.includes(undefined) ? BLOCK : length;
    overBlocks(arena, job, residents, step, (operands, pointers, start, count) => {
      if (view.channels === 1) job.splat(pointers, count, 0);
      else overRows(job, operands, pointers, start, count);
    });
  });
}

/** The address of an array in linear memory. */
function residentPtr(arena: Arena, array: KernelArray): number | undefined {
  return array.buffer === arena.buffer ? array.byteOffset : undefined;
}

/**
 * Walks the blocks with tables that hold one entry for each element of a period.
 *
 * Where the channels repeat after more than a block, each block gets its own tables.
 */
function overTables(arena: Arena, job: ChannelJob, residents: readonly (number | undefined)[]): void {
  const { view, length } = job;
  const pattern = view.channels * view.inner;
  const perBlock = pattern > BLOCK;
  const period = perBlock ? BLOCK : periodOf(pattern);
  const entries = Math.min(period + LANES, Math.ceil(length / LANES) * LANES);
  const tables = job.tables.map(() => arena.reserve(4 * entries));
  // As integers, whatever they hold: loops over one type of array are several times as fast.
  const sources = job.tables.map((table) => new Int32Array(table.buffer, table.byteOffset, table.length));
  const spread = (start: number): void =>
    sources.forEach((source, i) => {
      spreadTable(source, view, start, arena.i32.subarray(tables[i] >>> 2, (tables[i] >>> 2) + entries));
    });
  const step = perBlock || residents.includes(undefined) ? Math.floor(BLOCK / period) * period : length;
  if (!perBlock) spread(0);
  overBlocks(arena, job, residents, step, (_operands, pointers, start, count) => {
    if (perBlock) spread(start);
    job.periodic(pointers, count, tables, period);
    if (perBlock) job.finish?.(tables, start, count);
  });
  if (!perBlock) job.finish?.(tables, 0, entries);
}

/** A multiple of the channel pattern: one of LANES too where that is short, else the pattern itself. */
function periodOf(pattern: number): number {
  let period = pattern;
  while (period % LANES !== 0) period *= 2;
  return period <= SHORT_PERIOD ? period : pattern;
}

/** Gives each element from `start` on the entry of its channel. */
function spreadTable(table: Int32Array, { channels, inner }: ChannelView, start: number, target: Int32Array): void {
  const pattern = Math.min(channels * inner, target.length);
  let channel = Math.floor(start / inner) % channels;
  let end = inner - (start % inner);
  for (let i = 0; i < pattern; end += inner) {
    const value = table[channel];
    for (const stop = Math.min(end, pattern); i < stop; i++) target[i] = value;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
  for (let done = pattern; done < target.length; done *= 2) target.copyWithin(done, 0, done);
}

/** Calls `use` for each row among `count` elements from `start` on, with its channel and where it lies among them. */
export function eachRow(
  { channels, inner }: ChannelView,
  start: number,
  count: number,
  use: (channel: number, from: number, to: number) => void,
): void {
  let channel = Math.floor(start / inner) % channels;
  let to = inner - (start % inner);
  for (let from = 0; from < count; from = to, to += inner) {
    use(channel, from, Math.min(to, count));
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
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
  eachRow(view, start, count, (channel, from, to) => {
    splat(pointers, to - from, channel);
    for (let i = 0; i < pointers.length; i++) pointers[i] += (to - from) * operands[i].array.BYTES_PER_ELEMENT;
  });
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
  const step = Math.min(block, length);
  const operands = arrays.map((array, i): Operand => {
    const ptr = residents[i];
    if (ptr !== undefined) return { array, resident: true, ptr };
    return { array, resident: false, ptr: arena.reserve(step * array.BYTES_PER_ELEMENT) };
  });
  for (let start = 0; start < length; start += step) {
    const count = Math.min(step, length - start);
    const pointers = operands.map((operand, i) => {
      if (operand.resident) return operand.ptr + start * operand.array.BYTES_PER_ELEMENT;
      if (i < reads.length) copyIn(arena, operand, start, count);
      return operand.ptr;
    });
    run(operands, pointers, start, count);
    for (let i = reads.length; i < operands.length; i++) {
      if (!operands[i].resident) copyOut(arena, operands[i], start, count);
    }
  }
}

function copyIn(arena: Arena, { array, ptr }: Operand, start: number, count: number): void {
  const bytes = array.BYTES_PER_ELEMENT;
  arena.u8.set(new Uint8Array(array.buffer, array.byteOffset + start * bytes, count * bytes), ptr);
}

function copyOut(arena: Arena, { array, ptr }: Operand, start: number, count: number): void {
  const bytes = array.BYTES_PER_ELEMENT;
  new Uint8Array(array.buffer, array.byteOffset + start * bytes, count * bytes).set(
    arena.u8.subarray(ptr, ptr + count * bytes),
  );
}
