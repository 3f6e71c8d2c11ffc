import { printable } from "./printable.js";

const LONGEST = 60;

/** A tensor's name as tables show it: its end, which tells it from others, when it is longer than 60 characters. */
export function shortName(name: string): string {
  const characters = [...printable(name)];
  return characters.length <= LONGEST ? characters.join("") : `…${characters.slice(1 - LONGEST).join("")}`;
}
