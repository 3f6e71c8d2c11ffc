// Run by save.test.ts in a process of its own: loads a float32 tfjs model from a folder with stock tfjs and stores it in one
// byte per weight in another, knowing nothing but the files.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTfjs, writeTfjs } from "../../src/formats/tfjs-model/files.js";
import { toArtifacts } from "../../src/tfjs/save.js";
import { loadGraph, loadLayers } from "./weights-of.js";

const [from, to] = process.argv.slice(2);
const artifacts = readTfjs(Object.fromEntries(readdirSync(from).map((name) => [name, readFileSync(join(from, name))])));
const model = artifacts.format === "graph-model" ? loadGraph(artifacts) : await loadLayers(artifacts);
mkdirSync(to);
for (const [name, bytes] of Object.entries(writeTfjs(await toArtifacts(model)))) writeFileSync(join(to, name), bytes);
