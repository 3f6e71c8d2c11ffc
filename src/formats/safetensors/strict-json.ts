import { fileError, printed } from "./file-error.js";

/**
 * Parses JSON that somebody else wrote.
 *
 * JSON.parse lets the last of two equal keys win, which hides a tensor; and it builds whatever nesting it is given. So the
 * text is scanned first, without recursion, for keys that come twice in one object (compared after their escapes are
 * resolved), for nesting deeper than `maxDepth`, and for the key "__proto__".
 *
 * Errors: QuantError `invalid-file`.
 */
export function parseStrictJson(where: string, text: string, maxDepth: number): unknown {
  try {
    scan(where, text, maxDepth);
    return JSON.parse(text);
  } catch (error) {
    // The parser's own message differs between engines and may quote the whole text.
    if (error instanceof SyntaxError) throw fileError(where, `expected JSON, got ${printed(text)}`);
    throw error;
  }
}

/** Looks at brackets and keys alone; on text that is not JSON it may stop early, and the parser finds out. */
function scan(where: string, text: string, maxDepth: number): void {
  const open: (Set<string> | undefined)[] = []; // the keys so far of every open object, undefined for an array
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "{" || char === "[") {
      open.push(char === "{" ? new Set() : undefined);
      if (open.length > maxDepth) {
        throw fileError(where, `expected JSON at most ${maxDepth} levels deep, got more at character ${at}`);
      }
    } else if (char === "}" || char === "]") {
      open.pop();
    } else if (char === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && isKey(text, end)) {
        const key: string = JSON.parse(text.slice(at, end));
        if (keys.has(key)) throw fileError(where, `expected each key once, got ${printed(key)} twice`, { key });
        if (key === "__proto__") throw fileError(where, `expected no key "__proto__", got one`, { key });
        keys.add(key);
      }
      at = end - 1;
    }
  }
}

/** Where the string that begins at `start` is over. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isKey(text: string, at: number): boolean {
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return text[at] === ":";
}
