// Entry for hosts with a console, made to look like one whose WebAssembly has no SIMD: its engine refuses every binary.
import { smoke } from "./smoke.js";

WebAssembly.validate = () => false;
console.log(JSON.stringify(smoke()));
