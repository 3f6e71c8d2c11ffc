/** Uniform integers below a bound, of a seed (xorshift32). */
export function integerSource(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/**
 * A damaged copy of a file: a few bytes or words set to random, extreme or neighbouring values, words exchanged, the end cut
 * off, or a part put over another.
 */
export function mutateBytes(file: Uint8Array, choose: (below: number) => number): Uint8Array {
  let bytes = file.slice();
  const words = [
    0,
    1,
    2,
    4,
    8,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    bytes.length,
    bytes.length - 4,
  ];
  for (let count = 1 + choose(4); count > 0; count--) {
    const view = new DataView(bytes.buffer);
    const word = choose(bytes.length >> 2) * 4;
    switch (choose(8)) {
      case 0:
        bytes[choose(bytes.length)] = choose(256);
        break;
      case 1:
        bytes[choose(bytes.length)] ^= 1 << choose(8);
        break;
      case 2:
        view.setUint32(word, words[choose(words.length)], true);
        break;
      case 3:
        view.setInt32(word, view.getInt32(word, true) + choose(17) - 8, true);
        break;
      case 4:
        view.setUint32(word, view.getUint32(choose(bytes.length >> 2) * 4, true), true);
        break;
      case 5:
        view.setUint16(choose(bytes.length >> 1) * 2, choose(2) === 0 ? choose(64) : choose(65536), true);
        break;
      case 6: {
        const from = choose(bytes.length);
        bytes.copyWithin(choose(bytes.length), from, from + 1 + choose(64));
        break;
      }
      default:
        if (count === 1 && choose(4) === 0) bytes = bytes.slice(0, Math.max(8, choose(bytes.length)));
        else view.setUint32(word, choose(bytes.length), true);
    }
  }
  return bytes;
}
