/** What workers' bundlers make of an imported .wasm file: a WebAssembly.Module. */
declare module "*.wasm" {
  const module: object;
  export default module;
}
