// Entry for the script-tag example, behind its own script: draws digits of the test set on its canvas and reads its answers.
import { attempt, report } from "./page-report.js";
import { smokeRuntime } from "./smoke-runtime.js";

/** Digits of the test set, in base64, grey, 784 bytes each. */
declare const digits: readonly string[];

const one = <E extends Element>(name: string): E => document.querySelector(name) as E;

async function drawAll(): Promise<unknown> {
  const output = one<HTMLOutputElement>("output");
  while (output.textContent === "loading") await new Promise((resolve) => setTimeout(resolve, 10));
  const canvas = one<HTMLCanvasElement>("canvas");
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const answers = digits.map((digit) => {
    const image = new ImageData(28, 28);
    const grey = atob(digit);
    for (let i = 0; i < grey.length; i++) image.data.set([...new Array(3).fill(grey.charCodeAt(i)), 255], 4 * i);
    context.putImageData(image, 0, 0);
    // A stroke of no length, outside: the digit stays as it is, and is read.
    canvas.dispatchEvent(new PointerEvent("pointerdown"));
    canvas.dispatchEvent(new PointerEvent("pointermove", { buttons: 1, clientX: -1000, clientY: -1000 }));
    return Number.parseInt(output.textContent ?? "", 10);
  });
  one<HTMLButtonElement>("button").click();
  return { answers, cleared: output.textContent, smoke: smokeRuntime() };
}

attempt(drawAll).then(report);
