import { fileError } from "./file-error.js";

// Structural types: those of the DOM and of Node fit them, and neither is needed to compile against them.

/** A ReadableStream of bytes. */
export interface StreamSource {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(reason?: unknown): Promise<unknown>;
  };
}

/** A Blob or File, or anything else that gives slices of itself. */
export interface BlobSource {
  readonly size: number;
  slice(beginBytes: number, endBytes: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** Node's FileHandle, open for reading. It stays open. */
export interface FileSource {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(): Promise<{ readonly size: number | bigint }>;
}

/** Where a safetensors file is read from, front to back and once. */
export type SafetensorsSource = Uint8Array | ArrayBuffer | BlobSource | StreamSource | FileSource;

/** Reads a source front to back. */
export interface SequentialReader {
  /** Undefined for a stream. */
  readonly sizeBytes: number | undefined;
  /** The next bytes, in an array of their own. Throws QuantError `invalid-file` when there are fewer. */
  read(where: string, bytes: number): Promise<Uint8Array>;
  /** Throws QuantError `invalid-file` unless everything was read. */
  expectEnd(where: string): Promise<void>;
  /** Tells a stream that nothing more is wanted. */
  cancel(reason: unknown): Promise<void>;
}

/** Opens a source; throws TypeError for what is none. */
export async function openSource(where: string, source: SafetensorsSource): Promise<SequentialReader> {
  if (source instanceof ArrayBuffer) return openBytes(new Uint8Array(source));
  if (source instanceof Uint8Array) return openBytes(source);
  if (typeof source === "object" && source !== null) {
    if ("getReader" in source) return openStream(where, source);
    if ("slice" in source && "size" in source) return openBlob(source);
    if ("read" in source && "stat" in source) return openFile(source);
  }
  throw new TypeError(
    `${where}: expected a source (Uint8Array, ArrayBuffer, Blob, ReadableStream or FileHandle), got ${Object.prototype.toString.call(source)}`,
  );
}

function openBytes(bytes: Uint8Array): SequentialReader {
  return randomAccess(bytes.length, async (begin, end) => bytes.slice(begin, end));
}

function openBlob(blob: BlobSource): SequentialReader {
  return randomAccess(blob.size, async (begin, end) => new Uint8Array(await blob.slice(begin, end).arrayBuffer()));
}

/** Most bytes that Node reads in one call: an int32. */
const LONGEST_READ = 2 ** 30;

async function openFile(file: FileSource): Promise<SequentialReader> {
  const { size } = await file.stat();
  return randomAccess(Number(size), (begin, end) => readAt(file, begin, end));
}

/** The bytes from `begin` to `end` of a file; fewer only where it ends. */
export async function readAt(file: FileSource, begin: number, end: number): Promise<Uint8Array> {
  const out = new Uint8Array(end - begin);
  let filled = 0;
  while (filled < out.length) {
    const { bytesRead } = await file.read(out, filled, Math.min(out.length - filled, LONGEST_READ), begin + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return out.subarray(0, filled);
}

/** Front to back over `fetch(begin, end)`, which returns fewer bytes only where the source ends. */
function randomAccess(sizeBytes: number, fetch: (begin: number, end: number) => Promise<Uint8Array>): SequentialReader {
  let at = 0;
  return {
    sizeBytes,
    async read(where, bytes) {
      const end = Math.min(at + bytes, sizeBytes);
      const got = at === end ? new Uint8Array(0) : await fetch(at, end);
      if (got.length !== bytes) throw truncated(where, bytes, got.length);
      at = end;
      return got;
    },
    async expectEnd(where) {
      if (at !== sizeBytes) throw fileError(where, `expected the source to end after ${at} bytes, got ${sizeBytes}`);
    },
    async cancel() {},
  };
}

function openStream(where: string, stream: StreamSource): SequentialReader {
  const reader = stream.getReader();
  let chunk = new Uint8Array(0);
  let total = 0;

  /** Makes the next chunk that is not empty the current one; false at the end. */
  async function advance(): Promise<boolean> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError(
          `${where}: expected a stream of Uint8Array chunks, got ${Object.prototype.toString.call(value)}`,
        );
      }
      if (value.length > 0) {
        chunk = value as Uint8Array<ArrayBuffer>;
        return true;
      }
    }
  }

  return {
    sizeBytes: undefined,
    async read(place, bytes) {
      // Parts are joined once they are there, so that a header's claim alone allocates nothing.
      const parts: Uint8Array[] = [];
      let have = 0;
      while (have < bytes) {
        if (chunk.length === 0 && !(await advance())) throw truncated(place, bytes, have);
        const part = chunk.subarray(0, bytes - have);
        chunk = chunk.subarray(part.length);
        parts.push(part);
        have += part.length;
      }
      total += bytes;
      const out = new Uint8Array(bytes);
      let at = 0;
      for (const part of parts) {
        out.set(part, at);
        at += part.length;
      }
      return out;
    },
    async expectEnd(place) {
      if (chunk.length > 0 || (await advance())) {
        throw fileError(place, `expected the source to end after ${total} bytes, got more`);
      }
    },
    async cancel(reason) {
      await reader.cancel(reason);
    },
  };
}

function truncated(where: string, expected: number, got: number) {
  return fileError(where, `expected ${expected} more bytes, got ${got} before the source ended; it is truncated`);
}
