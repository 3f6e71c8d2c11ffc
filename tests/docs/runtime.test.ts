import { test } from "node:test";
import { checkSnippet } from "./page-snippet.js";

test("docs/runtime.md: the snippet runs a model and prints what it says", () => checkSnippet("runtime.md", 5));
