// Entry for workerd: the example worker, and how often it had WebAssembly compiled, which GET /compiled tells.
import { backend } from "bitpress/runtime";
import worker from "../../examples/worker/worker.js";

// Assigned before any request; bitpress compiles nothing when it is imported.
const compiled: string[] = [];
for (const name of ["compile", "compileStreaming", "validate"] as const) {
  Object.assign(WebAssembly, {
    [name]: () => {
      compiled.push(name);
      throw new Error(`WebAssembly.${name} was called`);
    },
  });
}
const { Module, instantiate } = WebAssembly;
WebAssembly.Module = new Proxy(Module, {
  construct(_, args) {
    compiled.push("Module");
    return Reflect.construct(Module, args);
  },
});
WebAssembly.instantiate = ((source: object, ...rest: unknown[]) => {
  if (!(source instanceof Module)) compiled.push("instantiate");
  return Reflect.apply(instantiate, WebAssembly, [source, ...rest]);
}) as typeof instantiate;

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/compiled") return Response.json({ backend: backend(), compiled });
    if (pathname === "/compile") {
      // The count sees what it should: these are the bytes of the empty module.
      try {
        new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
      } catch (error) {
        return new Response(String(error));
      }
    }
    return worker.fetch(request);
  },
};
