import { layerContract } from "./layer-contract.js";

layerContract("simd");
layerContract("debug");
