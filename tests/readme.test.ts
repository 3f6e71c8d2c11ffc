import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { firstImages, mnist } from "../examples/data/idx.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The code block behind `<!-- test: name -->`. */
function snippet(name: string): string {
  const [, code] = new RegExp(`<!-- test: ${name} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(readme) ?? [];
  assert.ok(code, `README.md has no snippet "${name}"`);
  return code;
}

/** What the comments behind console.log say it prints, line by line. */
function promised(code: string): string {
  return Array.from(code.matchAll(/console\.log\(.*\); \/\/ (.*)/g), ([, text]) => `${text}\n`).join("");
}

/** Runs a module inside the project, so that "bitpress" is this package. */
function run(code: string): string {
  const folder = mkdtempSync(join(root, "build-readme-"));
  try {
    const file = join(folder, "snippet.mjs");
    writeFileSync(file, code);
    return execFileSync(process.execPath, [file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const name of ["console", "console tfjs", "console qat"]) {
  test(`README: the ${name} snippet prints what it says`, () => {
    const code = snippet(name);
    assert.notEqual(promised(code), "");
    assert.ok(run(code).endsWith(promised(code)));
  });
}

test("README: the script-tag snippet logs what it says", () => {
  const page = snippet("page");
  assert.ok(page.includes("https://unpkg.com/bitpress/dist/bitpress.global.js"));
  const [, script] = /<script>\n([\s\S]*?)<\/script>/.exec(page) ?? [];
  let printed = "";
  const log = (text: unknown) => {
    printed += `${text}\n`;
  };
  const context = createContext({ console: { log }, WebAssembly, TextDecoder, TextEncoder });
  runInContext(readFileSync(join(root, "dist/bitpress.global.js"), "utf8"), context);
  runInContext(script, context);
  assert.equal(printed, promised(page));
});

test("README: the runtime's script-tag snippet logs what it says", async () => {
  const page = snippet("page runtime");
  assert.ok(page.includes("https://unpkg.com/bitpress/dist/bitpress.runtime.global.js"));
  const [, script] = /<script>\n([\s\S]*?)<\/script>/.exec(page) ?? [];
  const logged = new Promise((resolve) => {
    const fetchModel = async (name: string) => new Response(readFileSync(join(root, "examples/models", name)));
    const context = createContext({
      console: { log: resolve },
      fetch: fetchModel,
      WebAssembly,
      TextDecoder,
      ArrayBuffer,
    });
    runInContext(readFileSync(join(root, "dist/bitpress.runtime.global.js"), "utf8"), context);
    runInContext(script, context);
  });
  assert.equal(`${await logged}\n`, promised(page));
});

test("README: the worker answers the digit", () => {
  const file = JSON.stringify(join(root, "examples/models/mnist-cnn-w8a8.tflite"));
  const { images, labels } = firstImages(mnist("t10k"), 1);
  const pixels = JSON.stringify(Array.from(images, (value) => Math.round(value * 255)));
  const code = snippet("worker")
    .replace(
      /^import model from .*$/m,
      `import { readFileSync } from "node:fs";\nconst model = readFileSync(${file}).buffer;`,
    )
    .replace("export default", "const worker =");
  const request = `new Request("http://x", { method: "POST", body: Uint8Array.from(${pixels}) })`;
  assert.equal(run(`${code}\nconsole.log(await (await worker.fetch(${request})).json());`), `${labels[0]}\n`);
});
