import { test } from "node:test";
import { checkSnippet } from "./page-snippet.js";

test("docs/training.md: the snippet trains and prints what it says", () => checkSnippet("training.md", 2));
