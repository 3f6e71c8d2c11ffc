import { UsageError } from "./usage-error.js";

/** The one path that a command takes. Errors: UsageError for none or several. */
export function onlyArgument(positionals: readonly string[]): string {
  if (positionals.length === 1) return positionals[0];
  throw new UsageError(
    positionals.length === 0
      ? "expected the path of a model, got none"
      : `expected the path of one model, got ${positionals.length}: ${positionals.map((path) => `"${path}"`).join(", ")}`,
  );
}
