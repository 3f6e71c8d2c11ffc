import { printable } from "./printable.js";

/** The part of a terminal that progress needs. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** One line of progress that is drawn over itself. */
export interface Progress {
  update(step: { readonly name: string; readonly done: number; readonly total: number }): void;
  /** Wipes the line. */
  end(): void;
}

/** Work shorter than this shows none. */
const QUIET_MS = 500;
const INTERVAL_MS = 100;

/** Progress of work that begins now; silent where `stream` is no terminal. */
export function startProgress(stream: ProgressStream, now: () => number = Date.now): Progress {
  let next = now() + QUIET_MS;
  let shown = false;
  return {
    update({ name, done, total }) {
      if (!stream.isTTY || now() < next) return;
      next = now() + INTERVAL_MS;
      shown = true;
      const percent = String(Math.floor((100 * done) / Math.max(total, 1)));
      // A line that wraps could not be wiped.
      const line = `${percent.padStart(3)} %  ${printable(name)}`.slice(0, (stream.columns || 80) - 1);
      stream.write(`\r\x1b[K${line}`);
    },
    end() {
      if (shown) stream.write("\r\x1b[K");
      shown = false;
    },
  };
}
