import { QuantError } from "../core/errors.js";
import type { Abilities } from "./quantizer-abilities.js";

/** An entry while it is read. */
export interface Reading {
  readonly where: string;
  readonly index: number;
  readonly abilities: Abilities;
  readonly raw: Readonly<Record<string, unknown>>;
  readonly exclude: boolean;
}

export function readInteger(
  reading: Reading,
  key: string,
  value: unknown,
  expected: string,
  holds: (n: number) => boolean,
): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && holds(value)) return value;
  throw invalid(reading, key, expected, value);
}

export function readMeaning<T>(
  reading: Reading,
  key: string,
  value: unknown,
  meanings: Readonly<Record<string, T>>,
): T {
  if (typeof value === "string" && Object.hasOwn(meanings, value)) return meanings[value];
  throw invalid(reading, key, `one of ${quoted(Object.keys(meanings))}`, value);
}

export function readWords<T extends string>(reading: Reading, key: string, choices: readonly T[]): readonly T[] {
  const value = reading.raw[key];
  if (!Array.isArray(value)) throw invalid(reading, key, `an array of ${quoted(choices)}`, value);
  return Array.from(value, (word: unknown) => {
    const choice = choices.find((name) => name === word);
    if (choice === undefined) throw invalid(reading, key, `words among ${quoted(choices)}`, word);
    return choice;
  });
}

export function readStrings(reading: Reading, key: string): readonly string[] {
  const value = reading.raw[key];
  if (!isStrings(value)) throw invalid(reading, key, "an array of strings", value);
  return [...value];
}

export function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function invalid({ where, index }: Reading, key: string, expected: string, found: unknown): QuantError {
  return new QuantError(
    "invalid-config",
    `${where}: config entry ${index}, "${key}": expected ${expected}, got ${show(found)}`,
    { index, key, expected, found },
  );
}

export function missing({ where, index, raw }: Reading, expected: string, next?: string): QuantError {
  const keys = Object.keys(raw);
  return new QuantError(
    "invalid-config",
    `${where}: config entry ${index}: expected ${expected}, got ${keys.length === 0 ? "no keys" : `only ${quoted(keys)}`}${next === undefined ? "" : `; ${next}`}`,
    { index, expected, keys },
  );
}

export function quoted(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(", ");
}

/** A value as an error prints it; of an object its keys. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return isRecord(value) ? `{ ${Object.keys(value).join(", ")} }` : String(value);
}
