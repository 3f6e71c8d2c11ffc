import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resizeNearest } from "../../src/reference/resize-nearest.js";

describe("resizeNearest", () => {
  it("repeats pixels with all their channels, image by image", () => {
    const sizes = { batch: 2, inHeight: 1, inWidth: 2, inChannels: 2, outHeight: 2, outWidth: 3 };
    const out = new Int8Array(24);
    resizeNearest(Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8), { alignCorners: false, halfPixelCenters: false }, sizes, out);
    const first = [1, 2, 1, 2, 3, 4];
    const second = [5, 6, 5, 6, 7, 8];
    assert.deepEqual(Array.from(out), [...first, ...first, ...second, ...second]);
  });
});
