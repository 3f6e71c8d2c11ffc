import { QuantError, type QuantErrorCode } from "./errors.js";

/** Throws `<where>: expected <expected>, got <actual>` where something does not fit. */
export function expectThat(
  fits: boolean,
  code: QuantErrorCode,
  where: string,
  expected: string,
  actual: unknown,
): asserts fits {
  if (fits) return;
  const got = Array.isArray(actual) ? `[${actual.join(", ")}]` : String(actual);
  throw new QuantError(code, `${where}: expected ${expected}, got ${got}`, { where });
}

/** A name in quotes; one from a file may be megabytes long, and is cut. */
export function quoted(name: string): string {
  return `"${name.length > 80 ? `${name.slice(0, 80)}…` : name}"`;
}
