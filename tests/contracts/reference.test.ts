import { kernelContract } from "./kernel-contract.js";

kernelContract("reference");
