import { test } from "node:test";
import { checkSnippet } from "./page-snippet.js";

test("docs/qat.md: the snippet trains and prints what it says", () => checkSnippet("qat.md", 2));
