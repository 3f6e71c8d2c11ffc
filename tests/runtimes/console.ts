// Entry for hosts with a console: prints what the smoke checks found.
import { smoke } from "./smoke.js";

console.log(JSON.stringify(smoke()));
