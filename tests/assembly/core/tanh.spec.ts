import { tanhLanes, tanhOf, writeTanhTable } from "../../../assembly/core/tanh";

// Variables, or the collector would take the memory away.
const constants = new StaticArray<u8>(80);
const table = changetype<usize>(constants);
memory.fill(table, 0xa5, 80);
writeTanhTable(table);

describe("tanh", () => {
  it("has the bits that tests/reference/tanh.test.ts expects of the definition", () => {
    let sum = 0;
    for (let pattern = 0; pattern < 0x7f800000; pattern += 40009) {
      sum = sum * 31 + reinterpret<i32>(tanhOf(reinterpret<f32>(pattern), table));
    }
    expect<i32>(sum).toBe(1550689402);
  });

  it("works in every lane, with the sign of its own argument", () => {
    const y = tanhLanes(f32x4(-0.5, 20, -0.0, 1), table);
    expect<f32>(f32x4.extract_lane(y, 0)).toBe(-tanhOf(0.5, table));
    expect<f32>(f32x4.extract_lane(y, 1)).toBe(1);
    expect<u32>(reinterpret<u32>(f32x4.extract_lane(y, 2))).toBe(0x80000000);
    expect<f32>(f32x4.extract_lane(y, 3)).toBe(tanhOf(1, table));
  });

  it("its table is 64 bytes", () => {
    expect<u8>(load<u8>(table, 64)).toBe(0xa5);
  });
});
