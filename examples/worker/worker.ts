// A worker that reads digits: 28 × 28 grey pixels in, the class out.
//
//   npx wrangler dev examples/worker/worker.ts --config examples/worker/wrangler.json
//   curl --data-binary @digit.gray http://localhost:8787        784 bytes, 0 black to 255 white
//   curl --json '[0, 0, 12, …]' http://localhost:8787           the same as 784 numbers
//
// The model is part of the worker, as the bytes of a .tflite file; the kernels are the package's .wasm file, which the host compiled
// when the worker was deployed.
import { createSession, type Session } from "bitpress/runtime";
import model from "../models/mnist-cnn-w8a8.tflite";

const PIXELS = 784;

/** Made by the first request, and kept for all that follow. */
let session: Session | undefined;
const image = new Float32Array(PIXELS);
const probabilities = new Float32Array(10);

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") return new Response("POST 784 grey pixels\n", { status: 405 });
    const pixels = await pixelsOf(request);
    if (pixels?.length !== PIXELS) return new Response(`expected ${PIXELS} grey pixels\n`, { status: 400 });
    session ??= createSession(model);
    for (let i = 0; i < PIXELS; i++) image[i] = pixels[i] / 255;
    session.run({ input1: image }, { fc: probabilities });
    const probability = Math.max(...probabilities);
    return Response.json({ class: probabilities.indexOf(probability), probability });
  },
};

/** Grey values, raw or as JSON; undefined for JSON that is no list of numbers. */
async function pixelsOf(request: Request): Promise<ArrayLike<number> | undefined> {
  if (request.headers.get("content-type") !== "application/json") return new Uint8Array(await request.arrayBuffer());
  const given: unknown = await request.json().catch(() => undefined);
  return Array.isArray(given) && given.every((value) => typeof value === "number") ? given : undefined;
}
