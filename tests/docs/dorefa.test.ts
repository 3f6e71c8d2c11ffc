import { test } from "node:test";
import { checkSnippet } from "./page-snippet.js";

test("the code in docs/dorefa.md prints what its comments say", () => checkSnippet("dorefa.md", 3));
