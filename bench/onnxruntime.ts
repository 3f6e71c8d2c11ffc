import { dequantize, fakeQuantize, quantize } from "./bitpress.js";
import { compare, type Row } from "./comparison.js";
import { quantizeDequantizeModel } from "./onnx-model.js";
import { resident } from "./resident.js";
import { ELEMENTS, normalValues } from "./values.js";

const PARAMS = { scale: Math.fround(6 / 255), zeroPoint: 3, qmin: -128, qmax: 127 };
/** Enough pairs of operators in one run that copying the input in and the output out hardly counts. */
const PAIRS = 16;

/** The part of onnxruntime-web that is used; its own types exist only where bench/ is installed. */
interface OnnxRuntime {
  readonly env: { readonly wasm: { numThreads: number } };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => object;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ run(feeds: Record<string, object>): Promise<object> }>;
  };
}

/** QuantizeLinear and DequantizeLinear of ONNX Runtime Web: int8, one thread, its wasm backend, no graph optimization. */
export default async function measure(): Promise<Row[]> {
  const name = "onnxruntime-web";
  const ort = (await import(name)) as OnnxRuntime;
  ort.env.wasm.numThreads = 1;
  const sessionOf = (pairs: number) =>
    ort.InferenceSession.create(quantizeDequantizeModel(ELEMENTS, PARAMS, pairs), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "disabled",
    });
  const [chain, single] = [await sessionOf(PAIRS), await sessionOf(1)];

  const x = normalValues(ELEMENTS);
  const q = new Int8Array(ELEMENTS);
  const out = new Float32Array(ELEMENTS);
  const [from, codes, to] = [resident(x), resident(q), resident(out)];
  const feeds = { x: new ort.Tensor("float32", x, [ELEMENTS]) };
  const pairs = (run: () => void) => () => {
    for (let i = 0; i < PAIRS; i++) run();
  };
  const operators = `ORT-web, ${PAIRS} pairs in one run`;
  return [
    ...(await compare({
      kernel: "quantize, dequantize",
      elements: PAIRS * ELEMENTS,
      resident: pairs(() => {
        quantize(from(), PARAMS, { out: codes() });
        dequantize(codes(), PARAMS, { out: to() });
      }),
      peers: [{ name: operators, run: () => chain.run(feeds), floor: 1.5 }],
    })),
    ...(await compare({
      kernel: "fake-quantize, the same in one",
      elements: PAIRS * ELEMENTS,
      resident: pairs(() => fakeQuantize(from(), PARAMS, { out: to() })),
      peers: [{ name: operators, run: () => chain.run(feeds) }],
    })),
    ...(await compare({
      kernel: "quantize, dequantize once",
      elements: ELEMENTS,
      resident: () => {
        quantize(from(), PARAMS, { out: codes() });
        dequantize(codes(), PARAMS, { out: to() });
      },
      plain: () => {
        quantize(x, PARAMS, { out: q });
        dequantize(q, PARAMS, { out });
      },
      peers: [{ name: "ORT-web, copies included", run: () => single.run(feeds) }],
    })),
  ];
}
