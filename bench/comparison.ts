import { type InterleaveOptions, interleave, median, ratio, type Variant } from "./interleave.js";

/** How a kernel did against one peer. Ratios above 1 mean that the kernel was faster. */
export interface Row {
  readonly kernel: string;
  /** Microseconds per 2^20 elements, or per call or image where the kernel's name says so; arrays resident in linear memory. */
  readonly microseconds: number;
  /** The same with plain arrays, copies included; absent where there is no such form. */
  readonly plainMicroseconds?: number;
  readonly peer: string;
  /** Time of the peer over time of the kernel, arrays resident. */
  readonly ratio: number;
  /** The same with plain arrays. */
  readonly plainRatio?: number;
  /** The ratio to reach. */
  readonly floor?: number;
}

/** Somebody else's way of doing the same work. */
export interface Peer {
  readonly name: string;
  /** One way, or several of which the fastest of the run counts. */
  readonly run: Variant | readonly Variant[];
  readonly floor?: number;
}

/** One kernel and its peers. */
export interface Comparison extends InterleaveOptions {
  readonly kernel: string;
  /** What one call of each works on; absent: times are per call. */
  readonly elements?: number;
  /** The kernel over arrays in linear memory. */
  readonly resident: Variant;
  /** The kernel over plain arrays. */
  readonly plain?: Variant;
  readonly peers: readonly Peer[];
}

/** Measures a kernel and its peers in one interleaved run. */
export async function compare(comparison: Comparison): Promise<Row[]> {
  const { kernel, elements = 2 ** 20, resident, plain, peers, ...options } = comparison;
  const variants: Record<string, Variant> = { resident };
  if (plain !== undefined) variants.plain = plain;
  const nameOf = (peer: number, way: number): string => `${peer}.${way}`;
  const waysOf = ({ run }: Peer): readonly Variant[] => (typeof run === "function" ? [run] : run);
  peers.forEach((peer, i) => {
    waysOf(peer).forEach((way, j) => {
      variants[nameOf(i, j)] = way;
    });
  });
  const times = await interleave(variants, options);
  const perMillion = (name: string): number => (median(times[name]) / elements / 1e3) * 2 ** 20;
  return peers.map((peer, i) => {
    const names = waysOf(peer).map((_, j) => nameOf(i, j));
    const fastest = names.reduce((best, name) => (median(times[name]) < median(times[best]) ? name : best));
    return {
      kernel,
      microseconds: perMillion("resident"),
      peer: peer.name,
      ratio: ratio(times, "resident", fastest),
      ...(plain === undefined
        ? {}
        : { plainMicroseconds: perMillion("plain"), plainRatio: ratio(times, "plain", fastest) }),
      ...(peer.floor === undefined ? {} : { floor: peer.floor }),
    };
  });
}
