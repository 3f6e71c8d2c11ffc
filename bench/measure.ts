// Measures one file of this folder in a process of its own and prints its rows as JSON:
// node --import tsx bench/measure.ts quantize
import type { Row } from "./comparison.js";

const { default: measure } = (await import(`./${process.argv[2]}.js`)) as { default: () => Promise<Row[]> };
console.log(JSON.stringify(await measure()));
