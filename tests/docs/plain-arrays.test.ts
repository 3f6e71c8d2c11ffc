import { test } from "node:test";
import { checkSnippet } from "./page-snippet.js";

test("docs/plain-arrays.md: the snippet trains and prints what it says", () => checkSnippet("plain-arrays.md", 2));
