// Binaries as text in a script. Each byte below 89 is one character, so gzip finds in the text what repeats in the binary: 24 % less
// than base64 leaves of it. All characters are printable ASCII that need no escape between double quotes: the text is the same in
// pages of any encoding.
//
//   digits    "#" to "~" without the backslash, 0 to 90
//   byte b    b < 89: the digit b; else the digit 88 + ⌊b/89⌋ and the digit b mod 89

const FIRST = 35;
const BACKSLASH = 92;
const SINGLES = 89;

/** The text of some bytes. */
export function binaryToText(bytes: Uint8Array): string {
  const digit = (value: number): string => String.fromCharCode(value + FIRST + (value + FIRST >= BACKSLASH ? 1 : 0));
  return Array.from(bytes, (byte) => {
    const page = Math.floor(byte / SINGLES);
    return (page > 0 ? digit(SINGLES - 1 + page) : "") + digit(byte % SINGLES);
  }).join("");
}

/** The bytes that a text of binaryToText stands for. */
export function textToBinary(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let page = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code - FIRST - (code > BACKSLASH ? 1 : 0);
    if (digit < SINGLES) {
      bytes[length++] = page * SINGLES + digit;
      page = 0;
    } else {
      page = digit - SINGLES + 1;
    }
  }
  return bytes.slice(0, length);
}
