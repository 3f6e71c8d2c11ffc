import { parseArgs } from "node:util";
import { nearestFirst } from "./nearest-first.js";
import { UsageError } from "./usage-error.js";

/** One option of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** The only values of a string option. */
  readonly choices?: readonly string[];
}

/** Values by option: absent when the option is not given. */
export type OptionValues<S extends Readonly<Record<string, OptionSpec>>> = {
  readonly [K in keyof S]?: S[K]["type"] extends "boolean" ? true : string;
};

/**
 * Reads options (`--name value`, `--name=value`, `-n value`, in any place; the last of two wins) and the arguments between
 * them. After `--` all are arguments.
 *
 * Errors: UsageError naming the option and the choices, nearest first.
 */
export function parseArguments<S extends Readonly<Record<string, OptionSpec>>>(
  specs: S,
  args: readonly string[],
): { values: OptionValues<S>; positionals: string[] } {
  // Not strict: parseArgs's own errors run over several lines and know no choices.
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: { ...specs },
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) {
      const choices = nearestFirst(
        rawName,
        Object.keys(specs).map((choice) => `--${choice}`),
      );
      throw new UsageError(`expected an option among ${choices.join(", ")}, got "${rawName}"`);
    }
    values[name] = spec.type === "boolean" ? flag(rawName, value) : text(spec, rawName, value, inlineValue);
  }
  return { values: values as OptionValues<S>, positionals };
}

function flag(rawName: string, value: string | undefined): true {
  if (value === undefined) return true;
  throw new UsageError(`expected ${rawName} without a value, got "${value}"`);
}

function text(
  { choices }: OptionSpec,
  rawName: string,
  value: string | undefined,
  inline: boolean | undefined,
): string {
  // `--bits --json`: an option whose value was forgotten.
  if (value === undefined || (!inline && /^-./.test(value))) {
    throw new UsageError(`expected a value after ${rawName}, got ${value === undefined ? "none" : `"${value}"`}`);
  }
  if (choices !== undefined && !choices.includes(value)) {
    throw new UsageError(`expected ${rawName} as one of ${nearestFirst(value, choices).join(", ")}, got "${value}"`);
  }
  return value;
}
