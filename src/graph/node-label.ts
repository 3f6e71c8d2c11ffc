import { quoted } from "../core/expect-that.js";

/** `conv2d "block1/conv"`: how errors name a node. */
export function nodeLabel({ op, name }: { readonly op: string; readonly name: string }): string {
  return `${op} ${quoted(name)}`;
}
