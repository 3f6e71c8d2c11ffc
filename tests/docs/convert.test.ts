import { test } from "node:test";
import { checkSnippet } from "./page-snippet.js";

test("docs/convert.md: the snippet converts, verifies and prints what it says", () => checkSnippet("convert.md", 2));
