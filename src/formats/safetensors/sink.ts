// Structural types: those of the DOM and of Node fit them, and neither is needed to compile against them.

/** A WritableStream of bytes, a FileSystemWritableFileStream among them. It is closed at the end, or aborted. */
export interface StreamSink {
  getWriter(): {
    readonly ready: Promise<unknown>;
    write(chunk: Uint8Array): Promise<unknown>;
    close(): Promise<unknown>;
    abort(reason?: unknown): Promise<unknown>;
  };
}

/** Node's FileHandle, open for writing. It stays open, and is emptied when the run fails. */
export interface FileSink {
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  truncate(length: number): Promise<unknown>;
}

/** Called with each part of the file in turn, and awaited. */
export type CallbackSink = (chunk: Uint8Array) => void | Promise<void>;

/** Where a safetensors file is written, front to back. */
export type SafetensorsSink = StreamSink | FileSink | CallbackSink;

/** Writes a sink front to back. */
export interface SequentialWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** The file is whole. */
  close(): Promise<void>;
  /** The file will never be whole. */
  abort(reason: unknown): Promise<void>;
}

/** Opens a sink; throws TypeError for what is none. */
export function openSink(where: string, sink: SafetensorsSink): SequentialWriter {
  if (typeof sink === "function") {
    return {
      async write(chunk) {
        await sink(chunk);
      },
      async close() {},
      async abort() {},
    };
  }
  if (typeof sink === "object" && sink !== null) {
    if ("getWriter" in sink) return openStream(sink);
    if ("write" in sink && "truncate" in sink) return openFile(sink);
  }
  throw new TypeError(
    `${where}: expected a sink (WritableStream, FileHandle or a function), got ${Object.prototype.toString.call(sink)}`,
  );
}

function openStream(sink: StreamSink): SequentialWriter {
  const writer = sink.getWriter();
  return {
    async write(chunk) {
      await writer.ready;
      await writer.write(chunk);
    },
    async close() {
      await writer.close();
    },
    async abort(reason) {
      await writer.abort(reason);
    },
  };
}

function openFile(file: FileSink): SequentialWriter {
  let position = 0;
  return {
    async write(chunk) {
      // A longer file may have been there: its end would be left over.
      if (position === 0) await file.truncate(0);
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, at, chunk.length - at, position);
        at += bytesWritten;
        position += bytesWritten;
      }
    },
    async close() {},
    async abort() {
      if (position > 0) await file.truncate(0);
    },
  };
}
