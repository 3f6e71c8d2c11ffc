// Entry for hosts with a console: prints what the smoke checks of bitpress/runtime, loaded by itself, found.
import { smokeRuntime } from "./smoke-runtime.js";

console.log(JSON.stringify(smokeRuntime()));
