import { QuantError } from "../core/errors.js";

// Theory of operation
//
//   0        16          residents start                stack base          top                          byteLength
//   | unused | constants | resident | hole | resident | scratch | scratch | free                        |
//
// * Everything is aligned to 16 bytes. Address 0 is never handed out.
// * Residents live until they are freed: tensors that stay in linear memory between calls, so that kernels read and write
//   them without a copy. Freed blocks become holes, joined with their neighbours and taken again first-fit; a hole below
//   the stack base lowers the base.
// * Scratch is a stack above the residents. A call marks the stack, reserves what it needs, and releases the mark on its
//   way out, thrown errors included. Calls are synchronous, so between calls the stack is empty: that is when residents
//   may move the base.
// * Memory grows when the stack or the residents need it, by at least an eighth, so that a series of larger and larger
//   requests grows it rarely. Growing detaches every typed array over the old buffer: `arena.f32` and its sisters are
//   renewed with it, and addresses, not arrays, are what stays valid. Nothing else grows the memory, so the arena keeps
//   its buffer: asking WebAssembly.Memory for it takes 50 ns, a dozen times in a call.
// * Memory never shrinks. Callers that walk large arrays use blocks of a bounded size, so the peak stays small.
// * When the host refuses to grow, reserve and allocate throw QuantError `out-of-memory`, and the arena is as it was.

const ALIGNMENT = 16;
const PAGE_BYTES = 65536;
const MAX_BYTES = 2 ** 32;

/** The part of WebAssembly.Memory that the arena uses. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): number;
}

/** How much linear memory is used. */
export interface MemoryUsage {
  /** Size of the linear memory now. */
  readonly totalBytes: number;
  /** Held by resident arrays. */
  readonly residentBytes: number;
  /** Highest address ever in use. */
  readonly peakBytes: number;
}

interface Block {
  readonly ptr: number;
  readonly bytes: number;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Residents and a scratch stack over one linear memory. */
export class Arena {
  readonly #memory: LinearMemory;
  readonly #start: number;
  #holes: Block[] = [];
  #residents = new Map<number, number>();
  #base: number;
  #top: number;
  #peak: number;
  #buffer: ArrayBuffer | SharedArrayBuffer;
  #f32: Float32Array;
  #i32: Int32Array;
  #u8: Uint8Array;

  /** `start` is the first byte the arena may use. */
  constructor(memory: LinearMemory, start: number) {
    this.#memory = memory;
    this.#start = align(start);
    this.#base = this.#start;
    this.#top = this.#start;
    this.#peak = this.#start;
    this.#buffer = memory.buffer;
    this.#f32 = new Float32Array(this.#buffer);
    this.#i32 = new Int32Array(this.#buffer);
    this.#u8 = new Uint8Array(this.#buffer);
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#buffer;
  }

  get f32(): Float32Array {
    return this.#f32;
  }

  get i32(): Int32Array {
    return this.#i32;
  }

  get u8(): Uint8Array {
    return this.#u8;
  }

  get usage(): MemoryUsage {
    let residentBytes = 0;
    for (const bytes of this.#residents.values()) residentBytes += bytes;
    return { totalBytes: this.#buffer.byteLength, residentBytes, peakBytes: this.#peak };
  }

  /** Runs `use` with a fresh stack frame and releases it afterwards, whatever happens. */
  scope<T>(use: () => T): T {
    const mark = this.#top;
    try {
      return use();
    } finally {
      this.#top = mark;
    }
  }

  /** Reserves scratch that lives until the enclosing scope ends; returns its address. May grow the memory. */
  reserve(bytes: number): number {
    const ptr = this.#top;
    this.#ensure(ptr + align(bytes));
    this.#top = ptr + align(bytes);
    return ptr;
  }

  /** Allocates a resident block; returns its address. May grow the memory. Not inside a scope. */
  allocate(bytes: number): number {
    if (this.#top !== this.#base) throw new Error("arena: residents cannot be allocated inside a scope");
    const size = Math.max(ALIGNMENT, align(bytes));
    const index = this.#holes.findIndex((hole) => hole.bytes >= size);
    const hole = this.#holes[index];
    if (hole !== undefined) {
      if (hole.bytes === size) this.#holes.splice(index, 1);
      else this.#holes[index] = { ptr: hole.ptr + size, bytes: hole.bytes - size };
      this.#residents.set(hole.ptr, size);
      return hole.ptr;
    }
    const ptr = this.#base;
    this.#ensure(ptr + size);
    this.#base = ptr + size;
    this.#top = this.#base;
    this.#residents.set(ptr, size);
    return ptr;
  }

  /** Frees a resident block; an unknown address is ignored, so freeing twice is harmless. Not inside a scope. */
  free(ptr: number): void {
    const bytes = this.#residents.get(ptr);
    if (bytes === undefined) return;
    if (this.#top !== this.#base) throw new Error("arena: residents cannot be freed inside a scope");
    this.#residents.delete(ptr);
    const holes: Block[] = [];
    for (const hole of [...this.#holes, { ptr, bytes }].sort((a, b) => a.ptr - b.ptr)) {
      const last = holes.at(-1);
      if (last !== undefined && last.ptr + last.bytes === hole.ptr) {
        holes[holes.length - 1] = { ptr: last.ptr, bytes: last.bytes + hole.bytes };
      } else holes.push(hole);
    }
    const top = holes.at(-1);
    if (top !== undefined && top.ptr + top.bytes === this.#base) {
      holes.pop();
      this.#base = top.ptr;
      this.#top = top.ptr;
    }
    this.#holes = holes;
  }

  #ensure(end: number): void {
    const have = this.#buffer.byteLength;
    if (end > have) {
      const wanted = [Math.min(MAX_BYTES, Math.max(end, have + have / 8)), end];
      if (end > MAX_BYTES || !wanted.some((bytes) => this.#grow(Math.ceil((bytes - have) / PAGE_BYTES)))) {
        throw new QuantError(
          "out-of-memory",
          `memory: expected the host to grow WebAssembly memory to ${end} bytes, got a refusal at ${have}; free resident arrays or use smaller ones`,
          { requestedBytes: end, totalBytes: have },
        );
      }
    }
    this.#peak = Math.max(this.#peak, end);
  }

  #grow(pages: number): boolean {
    try {
      this.#memory.grow(pages);
    } catch {
      return false;
    }
    this.#renewViews();
    return true;
  }

  #renewViews(): void {
    this.#buffer = this.#memory.buffer;
    this.#f32 = new Float32Array(this.#buffer);
    this.#i32 = new Int32Array(this.#buffer);
    this.#u8 = new Uint8Array(this.#buffer);
  }
}
