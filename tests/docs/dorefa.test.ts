import { test } from "node:test";
import { checkSnippet } from "./page-snippet.js";

test("docs/dorefa.md: the functions give what the page says", () => checkSnippet("dorefa.md", 3));

test("docs/dorefa.md: the hooks train, and print what the page says", () => checkSnippet("dorefa.md", 2, 1));

test("docs/dorefa.md: the tfjs model learns what the page says", () => checkSnippet("dorefa.md", 1, 2));
