// (module
//   (memory (export "memory") 3072)
//   (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))))
const MODULE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // magic, version
  ...[1, 7, 1, 96, 3, 127, 127, 127, 0], // one type
  ...[3, 2, 1, 0], // one function of it
  ...[5, 4, 1, 0, 0x80, 0x18], // 192 MiB of memory
  ...[7, 17, 2, 6, 109, 101, 109, 111, 114, 121, 2, 0, 4, 99, 111, 112, 121, 0, 0],
  ...[10, 14, 1, 12, 0, 32, 0, 32, 1, 32, 2, 0xfc, 10, 0, 0, 11],
);
const TO = 96 * 2 ** 20;

/** A way to copy up to 96 MiB inside one WebAssembly memory by its memory.copy instruction. */
export function memoryCopy(): (bytes: number) => void {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
  const { memory, copy } = exports as {
    memory: WebAssembly.Memory;
    copy: (to: number, from: number, bytes: number) => void;
  };
  new Uint8Array(memory.buffer).fill(1);
  return (bytes) => copy(TO, 0, bytes);
}
