import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { firstImages, mnist } from "../../examples/data/idx.js";
import { type Consumer, makeConsumer, root } from "../packaging/consumer.js";
import { startBrowser } from "./browser.js";
import { bundle } from "./bundle.js";
import { expectedReport, expectedRuntimeReport, skipUnless } from "./expected-report.js";
import { type Browser, npmChromium, systemBrowsers } from "./hosts.js";
import { openSite, type Site } from "./site.js";

// WebGL in software compiles shaders for seconds.
const TIMEOUT_MS = 300_000;

let consumer: Consumer;
let site: Site;
before(async () => {
  consumer = makeConsumer();
  const globalPage = page(
    `<script src="/bitpress/bitpress.global.js"></script><script src="/page-global.js"></script>`,
  );
  const cspPage = page(`<script src="/bitpress/bitpress.global.js"></script><script src="/page-csp.js"></script>`);
  const trainingPage = page(scripts("tf.js", "tf-backend-wasm.js", "bitpress/bitpress.global.js", "page-training.js"));
  site = await openSite(
    {
      "/esm.html": {
        body: page(
          `<script type="importmap">{ "imports": { "bitpress": "/bitpress/index.js" } }</script><script type="module" src="/page.js"></script>`,
        ),
      },
      "/global.html": { body: globalPage },
      "/tfjs.html": {
        body: page(
          `<script src="/tf.js"></script><script src="/bitpress/bitpress.global.js"></script><script src="/page-tfjs.js"></script>`,
        ),
      },
      "/tf.js": {
        body: readFileSync(createRequire(import.meta.url).resolve("@tensorflow/tfjs/dist/tf.min.js"), "utf8"),
      },
      "/training.html": { body: trainingPage },
      "/training-isolated.html": { body: trainingPage, isolated: true },
      "/tf-backend-wasm.js": { body: wasmBackendFile("tf-backend-wasm.min.js") },
      ...Object.fromEntries(
        ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm"].map(
          (name) => [`/${name}`, { body: wasmBackendFile(name) }],
        ),
      ),
      "/page-training.js": { body: await bundle("page-training.ts", "global", consumer) },
      "/qat.html": { body: page(scripts("tf.js", "tf-backend-wasm.js", "bitpress/bitpress.global.js", "page-qat.js")) },
      "/page-qat.js": { body: await bundle("page-qat.ts", "global", consumer) },
      "/dorefa.html": {
        body: page(scripts("tf.js", "tf-backend-wasm.js", "bitpress/bitpress.global.js", "page-dorefa.js")),
      },
      "/page-dorefa.js": { body: await bundle("page-dorefa.ts", "global", consumer) },
      "/examples/script-tag/index.html": { body: scriptTagExample() },
      "/examples/models/mnist-cnn-w8a8.tflite": { body: fileOf("examples/models/mnist-cnn-w8a8.tflite") },
      "/dist/bitpress.runtime.global.js": {
        body: readFileSync(join(consumer.packageDir, "dist/bitpress.runtime.global.js")),
      },
      "/page-script-tag.js": { body: await bundle("page-script-tag.ts", "global", consumer) },
      "/page-tfjs.js": { body: await bundle("page-tfjs.ts", "global", consumer) },
      "/csp-forbids.html": { body: cspPage, csp: "script-src 'self'" },
      "/csp-allows.html": { body: cspPage, csp: "script-src 'self' 'wasm-unsafe-eval'" },
      "/page.js": { body: await bundle("page.ts", "bare", consumer) },
      "/page-global.js": { body: await bundle("page-global.ts", "global", consumer) },
      "/page-csp.js": { body: await bundle("page-csp.ts", "global", consumer) },
    },
    join(consumer.packageDir, "dist"),
  );
});
after(async () => {
  await site.close();
  consumer.remove();
});

function wasmBackendFile(name: string): Uint8Array {
  return readFileSync(createRequire(import.meta.url).resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}`));
}

function fileOf(path: string): Uint8Array {
  return readFileSync(join(root, path));
}

const digits = firstImages(mnist("t10k"), 20);

/** The page of examples/script-tag, with a script behind its own that uses it. */
function scriptTagExample(): string {
  const bytes = Buffer.from(digits.images.map((value) => Math.round(value * 255)));
  const texts = Array.from({ length: digits.count }, (_, n) =>
    bytes.subarray(n * 784, (n + 1) * 784).toString("base64"),
  );
  const script = `<script>const digits = ${JSON.stringify(texts)};</script><script src="/page-script-tag.js"></script>`;
  return readFileSync(join(root, "examples/script-tag/index.html"), "utf8").replace("</body>", `${script}</body>`);
}

/** Script tags. */
function scripts(...paths: string[]): string {
  return paths.map((path) => `<script src="/${path}"></script>`).join("");
}

function page(scripts: string): string {
  return `<!doctype html><meta charset="utf-8"><title>bitpress</title>${scripts}`;
}

// Visited in this order by one run of each browser.
const PATHS = [
  "/esm.html",
  "/global.html",
  "/tfjs.html",
  "/csp-forbids.html",
  "/csp-allows.html",
  "/training.html",
  "/training-isolated.html",
  "/qat.html?backend=wasm",
  "/qat.html?backend=webgl",
  "/qat.html?backend=webgl&f16",
  "/dorefa.html?backend=wasm",
  "/dorefa.html?backend=webgl",
  "/examples/script-tag/index.html",
];

/** Writes the script-tag page as a file; returns its file:// address, which sends the browser on to the site. */
async function writeFilePage(): Promise<string> {
  const global = pathToFileURL(join(consumer.packageDir, "dist/bitpress.global.js"));
  const file = join(consumer.dir, "page.html");
  writeFileSync(join(consumer.dir, "page-global.js"), await bundle("page-global.ts", "global", consumer));
  writeFileSync(file, page(`<script src="${global}"></script><script src="page-global.js"></script>`));
  const parameters = new URLSearchParams({ report: site.origin, next: site.origin + PATHS[0] });
  return `${pathToFileURL(file)}?${parameters}`;
}

async function visit(browser: Browser): Promise<unknown[]> {
  const file = await writeFilePage();
  const reports = site.collect([file, ...PATHS], TIMEOUT_MS);
  const running = startBrowser(browser, file);
  try {
    return await reports;
  } catch (error) {
    throw new Error(`${browser.name}: ${String(error)}; it printed: ${running.output()}`);
  } finally {
    await running.stop();
  }
}

/** What page-qat.ts and page-dorefa.ts found: against the cpu backend, relative to its largest value. */
interface TrainingReport {
  readonly codes: number;
  readonly different: number;
  /** By how many codes. */
  readonly largest: number;
  readonly weightsError: number;
  readonly lossError: number;
  /** Of the model saved and loaded again, on the same backend. */
  readonly reloadError: number;
  /** Tensors that an epoch left behind. */
  readonly left: number;
}

/** An error's text without what the browser itself says. */
function withoutReason(error: unknown): string {
  return String(error).replace(/\(\w+Error: .*\)$/, "(…)");
}

for (const browser of [await npmChromium(), ...systemBrowsers()]) {
  describe(browser.name, { skip: skipUnless(browser.program) }, () => {
    let reports: unknown[];
    before(async () => {
      reports = await visit(browser);
    });

    test("a file:// page with the script tag", () => {
      assert.deepEqual(reports[0], expectedReport("simd"));
    });

    test("an ES module page: inline, streamed, and with a wrong MIME type", () => {
      assert.deepEqual(reports[1], {
        inline: expectedReport("simd"),
        url: { streaming: true, smoke: expectedReport("simd") },
        wrongType: { streaming: false, smoke: expectedReport("simd") },
      });
    });

    test("a page with the script tag", () => {
      assert.deepEqual(reports[2], expectedReport("simd"));
    });

    test("a page with script tags of tfjs and the package", () => {
      // 40 × 3 codes of one byte; of three channels, scale and bias in float32 and mean and variance in one byte.
      assert.deepEqual(reports[3], { weightBytes: 120 + 3 * (4 + 4 + 1 + 1), output: [40, 40, 40] });
    });

    test("a policy without 'wasm-unsafe-eval': the error names the directive, the reference still runs", () => {
      const { first, url, reference } = reports[4] as Record<string, unknown>;
      const expected =
        "unsupported-host: QuantError: init: this page's Content-Security-Policy forbids compiling WebAssembly; add 'wasm-unsafe-eval' to its script-src directive, or call init({ build: \"reference\" }) for the slower JavaScript (…)";
      assert.equal(withoutReason(first), expected);
      assert.equal(withoutReason(url), expected);
      assert.deepEqual(reference, expectedReport("reference"));
    });

    test("a policy with 'wasm-unsafe-eval'", () => {
      assert.deepEqual(reports[5], {
        first: expectedReport("simd"),
        url: expectedReport("simd"),
        reference: expectedReport("reference"),
      });
    });

    // Sums of the 2 × 2 windows over 1…9, for each of two channels.
    const gradient = [12, 12, 16, 16, 24, 24, 28, 28];

    test("training on the wasm backend of tfjs", () => {
      assert.deepEqual(reports[6], { isolated: false, shared: false, weights: gradient, depthwiseWeights: gradient });
    });

    test("training on a cross-origin isolated page, where tfjs shares its memory between threads", () => {
      // In WebKitGTK tfjs finds no support for threads, and takes its build without them.
      const shared = browser.engine !== "webkit";
      assert.deepEqual(reports[7], { isolated: true, shared, weights: gradient, depthwiseWeights: gradient });
    });

    /** A report of such a page, after what holds on every backend. */
    function trainingReport(i: number, t: TestContext): TrainingReport | undefined {
      const report = reports[i];
      if (report === 'no code: Error: setBackend("webgl") failed' && browser.engine !== "chromium") {
        t.skip("this browser gives a page no WebGL here");
        return undefined;
      }
      assert.equal(typeof report, "object", String(report));
      const found = report as TrainingReport;
      const { different, codes, left, reloadError } = found;
      t.diagnostic(`${browser.name}: ${different} of ${codes} codes differ from the cpu backend's`);
      assert.deepEqual({ left, reloadError }, { left: 0, reloadError: 0 });
      return found;
    }

    test("quantization-aware training on the wasm backend: the cpu backend's codes", (t) => {
      const { weightsError, lossError, different } = trainingReport(8, t) as TrainingReport;
      assert.equal(different, 0);
      assert.ok(Math.max(weightsError, lossError) <= 1e-5, `weights ${weightsError}, loss ${lossError}`);
    });

    test("quantization-aware training on the webgl backend: within 1 code of the cpu backend", (t) => {
      const report = trainingReport(9, t);
      if (report === undefined) return;
      const { weightsError, lossError, different, codes, largest } = report;
      // Sums in another order: a value that lies near a tie may go to the code beside.
      assert.ok(largest <= 1 && different <= codes / 1000, `${different} of ${codes}, by up to ${largest}`);
      assert.ok(Math.max(weightsError, lossError) <= 1e-3, `weights ${weightsError}, loss ${lossError}`);
    });

    test("quantization-aware training on the webgl backend without 32-bit floats, as on many phones", (t) => {
      const report = trainingReport(10, t);
      if (report === undefined) return;
      const { weightsError, lossError, largest } = report;
      // 11 bits of each value are left, 3 more than those of a code.
      assert.ok(largest <= 3, `codes differ by up to ${largest}`);
      assert.ok(Math.max(weightsError, lossError) <= 0.05, `weights ${weightsError}, loss ${lossError}`);
    });

    test("DoReFa training on the wasm backend: the cpu backend's codes", (t) => {
      const { weightsError, lossError, different } = trainingReport(11, t) as TrainingReport;
      assert.equal(different, 0);
      assert.ok(Math.max(weightsError, lossError) <= 1e-5, `weights ${weightsError}, loss ${lossError}`);
    });

    test("DoReFa training on the webgl backend: within 1 code of the cpu backend", (t) => {
      const report = trainingReport(12, t);
      if (report === undefined) return;
      const { weightsError, lossError, different, codes, largest } = report;
      assert.ok(largest <= 1 && different <= codes / 1000, `${different} of ${codes}, by up to ${largest}`);
      assert.ok(Math.max(weightsError, lossError) <= 1e-3, `weights ${weightsError}, loss ${lossError}`);
    });

    test("the script-tag example, over the bundle of bitpress/runtime, reads digits drawn on its canvas", () => {
      assert.deepEqual(reports[13], {
        answers: Array.from(digits.labels),
        cleared: "ready",
        smoke: expectedRuntimeReport("simd"),
      });
    });
  });
}
