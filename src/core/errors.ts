/** What went wrong, as a word a program can test. */
export type QuantErrorCode =
  | "invalid-model"
  | "invalid-file"
  | "invalid-config"
  | "non-finite"
  | "not-calibrated"
  | "out-of-memory"
  | "unsupported"
  | "unsupported-host";

/**
 * Every failure that is not a plainly wrong argument (those are TypeError and RangeError).
 *
 * The message reads `<where>: <expected>, got <actual>[; what to do next]`; `code` is stable and `details` holds the
 * values of the message as data.
 */
export class QuantError extends Error {
  override readonly name = "QuantError";
  readonly code: QuantErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: QuantErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
