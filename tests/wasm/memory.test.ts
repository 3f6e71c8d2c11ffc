import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import {
  dequantize,
  fakeQuantize,
  fakeQuantizeGradient,
  foldBatchNorm,
  init,
  memoryUsage,
  minMax,
  movingAverageObserver,
  packBits,
  quantize,
  residentArray,
  unpackBits,
} from "../../src/index.js";
import { Arena, type LinearMemory } from "../../src/wasm/memory.js";

const PAGE = 65536;
const START = 48;

/** An arena over a real memory of `initial` pages. */
function arenaOf(initial = 1, maximum?: number): { arena: Arena; memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory(maximum === undefined ? { initial } : { initial, maximum });
  return { arena: new Arena(memory, START), memory };
}

const outOfMemory = (end: number, have: number) => ({
  name: "QuantError",
  code: "out-of-memory",
  message: `memory: expected the host to grow WebAssembly memory to ${end} bytes, got a refusal at ${have}; free resident arrays or use smaller ones`,
  details: { requestedBytes: end, totalBytes: have },
});

describe("arena: scratch", () => {
  it("is aligned to 16 bytes, begins at the start rounded up, and is released at the end of the scope", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const arena = new Arena(memory, 33);
    const pointers = arena.scope(() => [1, 16, 17, 0, 5].map((bytes) => arena.reserve(bytes)));
    assert.deepEqual(pointers, [48, 64, 80, 112, 112]);
    assert.equal(
      arena.scope(() => arena.reserve(8)),
      48,
    );
  });

  it("scopes nest, and an error releases what was reserved", () => {
    const { arena } = arenaOf();
    arena.scope(() => {
      const outer = arena.reserve(16);
      const inner = arena.scope(() => arena.reserve(100));
      assert.throws(
        () =>
          arena.scope(() => {
            arena.reserve(1000);
            throw new Error("stop");
          }),
        { message: "stop" },
      );
      assert.deepEqual([outer, inner, arena.reserve(16)], [48, 64, 64]);
    });
    assert.equal(
      arena.scope(() => arena.reserve(1)),
      48,
    );
  });

  it("growing renews the views and keeps addresses and contents", () => {
    const { arena, memory } = arenaOf();
    const before = arena.f32;
    arena.scope(() => {
      const ptr = arena.reserve(16);
      arena.f32[ptr >>> 2] = 1.5;
      arena.i32[(ptr >>> 2) + 1] = -7;
      arena.u8[ptr + 8] = 200;
      arena.reserve(2 * PAGE);
      assert.equal(before.length, 0, "the old view is detached");
      assert.equal(arena.buffer, memory.buffer);
      assert.equal(arena.f32.buffer, memory.buffer);
      assert.deepEqual([arena.f32[ptr >>> 2], arena.i32[(ptr >>> 2) + 1], arena.u8[ptr + 8]], [1.5, -7, 200]);
      assert.equal(arena.f32, arena.f32, "a view is made once per growth");
    });
  });

  it("grows by an eighth at least", () => {
    const { arena, memory } = arenaOf(16);
    arena.scope(() => arena.reserve(16 * PAGE));
    assert.equal(memory.buffer.byteLength, 18 * PAGE);
    arena.scope(() => arena.reserve(30 * PAGE));
    assert.equal(memory.buffer.byteLength, 31 * PAGE);
  });

  it("peak bytes are the highest address ever in use", () => {
    const { arena } = arenaOf();
    assert.deepEqual(arena.usage, { totalBytes: PAGE, residentBytes: 0, peakBytes: START });
    arena.scope(() => arena.reserve(1000));
    arena.scope(() => arena.reserve(10));
    assert.deepEqual(arena.usage, { totalBytes: PAGE, residentBytes: 0, peakBytes: START + 1008 });
  });
});

describe("arena: residents", () => {
  it("freed blocks become holes, joined with their neighbours, and are taken again first-fit", () => {
    const { arena } = arenaOf();
    const [a, b, c, d] = [100, 32, 16, 64].map((bytes) => arena.allocate(bytes));
    assert.deepEqual([a, b, c, d], [48, 160, 192, 208]);
    arena.free(b);
    arena.free(c);
    assert.equal(arena.allocate(48), b, "two neighbours make one hole");
    arena.free(a);
    assert.equal(arena.allocate(16), a);
    assert.equal(arena.allocate(90), a + 16, "the rest of a hole");
    assert.equal(arena.usage.residentBytes, 16 + 96 + 48 + 64);
  });

  it("a hole below the scratch lowers it", () => {
    const { arena } = arenaOf();
    const [a, b] = [arena.allocate(64), arena.allocate(64)];
    arena.free(a);
    assert.equal(
      arena.scope(() => arena.reserve(1)),
      b + 64,
    );
    arena.free(b);
    assert.equal(
      arena.scope(() => arena.reserve(1)),
      a,
    );
    assert.equal(arena.usage.residentBytes, 0);
  });

  it("an empty block has an address of its own; freeing twice or an unknown address is harmless", () => {
    const { arena } = arenaOf();
    const [a, b] = [arena.allocate(0), arena.allocate(0)];
    assert.notEqual(a, b);
    arena.free(a);
    arena.free(a);
    arena.free(12345);
    assert.equal(arena.usage.residentBytes, 16);
  });

  it("cannot be moved while scratch is in use", () => {
    const { arena } = arenaOf();
    const ptr = arena.allocate(16);
    arena.scope(() => {
      arena.reserve(16);
      assert.throws(() => arena.allocate(16), { message: "arena: residents cannot be allocated inside a scope" });
      assert.throws(() => arena.free(ptr), { message: "arena: residents cannot be freed inside a scope" });
    });
    arena.free(ptr);
    assert.equal(arena.allocate(16), ptr);
  });

  it("any order of allocating and freeing keeps blocks apart, and gives all back", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(500)), { maxLength: 80 }), (steps) => {
        const { arena } = arenaOf();
        const live: { ptr: number; bytes: number }[] = [];
        for (const [free, n] of steps) {
          if (free && live.length > 0) arena.free(live.splice(n % live.length, 1)[0].ptr);
          else live.push({ ptr: arena.allocate(n), bytes: n });
          live.sort((x, y) => x.ptr - y.ptr);
          for (const [i, { ptr, bytes }] of live.entries()) {
            assert.equal(ptr % 16, 0);
            assert.ok(ptr >= START && ptr + bytes <= (live[i + 1]?.ptr ?? arena.scope(() => arena.reserve(0))));
          }
        }
        for (const { ptr } of live) arena.free(ptr);
        assert.equal(arena.usage.residentBytes, 0);
        assert.equal(arena.allocate(1), START);
      }),
    );
  });
});

describe("arena: a host that refuses to grow", () => {
  /** A memory of one page that allows `limit` calls of grow. */
  function stubborn(limit: number): LinearMemory & { calls: number[] } {
    let buffer = new ArrayBuffer(PAGE);
    const calls: number[] = [];
    return {
      calls,
      get buffer() {
        return buffer;
      },
      grow(pages) {
        calls.push(pages);
        if (calls.length > limit) throw new RangeError("no");
        const grown = new ArrayBuffer(buffer.byteLength + pages * PAGE);
        new Uint8Array(grown).set(new Uint8Array(buffer));
        buffer = grown;
        return 0;
      },
    };
  }

  it("reserve throws, and the arena is as it was", () => {
    const arena = new Arena(stubborn(0), START);
    const end = START + 100_000;
    arena.scope(() => {
      const ptr = arena.reserve(16);
      assert.throws(() => arena.reserve(100_000), outOfMemory(end + 16, PAGE));
      assert.equal(arena.reserve(16), ptr + 16);
    });
    assert.deepEqual(arena.usage, { totalBytes: PAGE, residentBytes: 0, peakBytes: START + 32 });
  });

  it("allocate throws, and holes, residents and scratch are as they were", () => {
    const arena = new Arena(stubborn(0), START);
    const [a, b] = [arena.allocate(64), arena.allocate(64)];
    arena.free(a);
    assert.throws(() => arena.allocate(PAGE), outOfMemory(b + 64 + PAGE, PAGE));
    assert.deepEqual(arena.usage, { totalBytes: PAGE, residentBytes: 64, peakBytes: b + 64 });
    assert.equal(arena.allocate(64), a);
    assert.equal(
      arena.scope(() => arena.reserve(16)),
      b + 64,
    );
  });

  it("asks for what is needed when the host refuses the extra eighth", () => {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 17 });
    const arena = new Arena(memory, START);
    arena.scope(() => arena.reserve(16 * PAGE));
    assert.equal(memory.buffer.byteLength, 17 * PAGE);
    const end = START + 17 * PAGE;
    assert.throws(() => arena.scope(() => arena.reserve(17 * PAGE)), outOfMemory(end, 17 * PAGE));
    assert.equal(
      arena.scope(() => arena.reserve(16 * PAGE)),
      START,
    );
  });

  it("more than 4 GiB is refused without asking for less", () => {
    const { arena } = arenaOf();
    assert.throws(() => arena.allocate(2 ** 33), outOfMemory(START + 2 ** 33, PAGE));
    assert.equal(arena.allocate(16), START);
  });
});

describe("public functions in memory", () => {
  beforeEach(() => init({ build: "simd" }));

  it("10^5 calls keep the peak and the size of memory", () => {
    const params = { scale: 0.1, zeroPoint: 0, qmin: -8, qmax: 7 };
    const channels = {
      scale: new Float32Array(10).fill(0.1),
      zeroPoint: new Int32Array(10),
      qmin: -8,
      qmax: 7,
      axis: 1,
    };
    const x = Float32Array.from({ length: 200 }, (_, i) => Math.sin(i));
    const shape = [20, 10];
    const q = quantize(x, params) as Int8Array;
    const packed = packBits(q, 4);
    const layer = { weights: x, mean: x.subarray(0, 10), variance: new Float32Array(10).fill(1), epsilon: 1e-3 };
    const observer = movingAverageObserver();
    const calls = [
      () => quantize(x, params),
      () => quantize(x, channels, { shape }),
      () => dequantize(q, params),
      () => dequantize(q, channels, { shape }),
      () => fakeQuantize(x, params),
      () => fakeQuantize(x, channels, { shape }),
      () => fakeQuantizeGradient(x, x, params),
      () => minMax(x, { shape, axis: 1 }),
      () => packBits(q, 4),
      () => unpackBits(packed, 4, { length: 200, signed: true }),
      () => foldBatchNorm(layer, { shape, axis: 1 }),
      () => observer.observe(x),
      () => observer.observeFakeQuantize(x, { bits: 4 }),
      () => residentArray("float32", 100).dispose(),
      () => assert.throws(() => minMax(Float32Array.of(1, Number.NaN))),
      () => assert.throws(() => quantize(x, { ...params, scale: -1 })),
    ];
    for (const call of calls) call();
    const usage = memoryUsage();
    assert.equal(usage.residentBytes, 0);
    // The two that throw build messages and stack traces, so they take one turn in ten.
    for (let i = 0; i < 100_000; i++) calls[i % (i % 160 < 16 ? 16 : 14)]();
    assert.deepEqual(memoryUsage(), usage);
  });

  it("large arrays pass in blocks: the peak does not depend on their length", () => {
    const params = { scale: 0.1, zeroPoint: 0, qmin: -128, qmax: 127 };
    quantize(new Float32Array(16_384), params);
    const { peakBytes } = memoryUsage();
    quantize(new Float32Array(3_000_000), params);
    assert.equal(memoryUsage().peakBytes, peakBytes);
  });

  it("works after memory ran out", () => {
    const { totalBytes } = memoryUsage();
    assert.throws(() => residentArray("float32", 2 ** 31), { name: "QuantError", code: "out-of-memory" });
    assert.equal(memoryUsage().totalBytes, totalBytes);
    assert.deepEqual(quantize(Float32Array.of(1), { scale: 0.5, zeroPoint: 0, qmin: -3, qmax: 3 }), Int8Array.of(2));
  });
});
