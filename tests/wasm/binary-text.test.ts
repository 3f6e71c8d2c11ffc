import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { binaryToText, textToBinary } from "../../src/wasm/binary-text.js";

describe("binaryToText", () => {
  it("one character below 89, two from there on", () => {
    assert.equal(binaryToText(Uint8Array.of(0, 56, 57, 88, 89, 177, 178, 255)), "#[]|}#}|~#~q");
  });

  it("characters that need no escape in a script, whatever the bytes", () => {
    const all = binaryToText(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    assert.match(all, /^[!-~]+$/);
    assert.equal(JSON.stringify(all), `"${all}"`);
  });
});

it("textToBinary gives the bytes back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      assert.deepEqual(textToBinary(binaryToText(bytes)), bytes);
    }),
  );
});
