type Instantiate = (binary: Uint8Array, imports: WebAssembly.Imports) => unknown;

export default {
  entries: ["**/*.spec.ts"],
  include: [],
  disclude: [/node_modules/],
  instantiate(
    memory: WebAssembly.Memory,
    createImports: (imports: WebAssembly.Imports) => WebAssembly.Imports,
    instantiate: Instantiate,
    binary: Uint8Array,
  ) {
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};
