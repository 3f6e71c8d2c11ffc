import { QuantError } from "../../core/errors.js";

// Names and values of a hostile file may be megabytes long; a message shows their beginning.
const LONGEST = 80;

/** The error for a file that is not what it should be. */
export function fileError(where: string, message: string, details: Readonly<Record<string, unknown>> = {}): QuantError {
  return new QuantError("invalid-file", `${where}: ${message}`, details);
}

/** The error for what a file says about one tensor. */
export function tensorError(where: string, name: string, message: string): QuantError {
  return fileError(whereTensor(where, name), message, { tensor: name });
}

/** `readSafetensors "layer.weight"`: how messages about one tensor begin. */
export function whereTensor(where: string, name: string): string {
  return `${where} ${printed(name)}`;
}

/** A value from a file as JSON, cut where it is long. */
export function printed(value: unknown): string {
  const text = String(JSON.stringify(value));
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
