// Changes to somebody else's .tflite file that need no knowledge of its operators: more outputs, one operator more.
//
// Offsets in a flatbuffer point forward from where they stand. So a new head, with a new root, is written before the old file: what
// changes is written anew in the head, what stays is pointed at.
//
//     | new root, model, subgraph, longer lists, new tables | padding | old file as it was |

const FILL = 94;
const INT32 = 2;
const INT8 = 9;

/** A field of a table to be written: a number in place, an old object, or one that is written after the table. */
type Field = readonly ["int32" | "byte", number] | readonly ["old", number] | readonly ["new", (head: Head) => number];

/** A .tflite file read without checks: positions of its objects. */
class OldFile {
  readonly view: DataView;
  readonly model: number;
  readonly subgraph: number;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.model = this.view.getUint32(0, true);
    this.subgraph = this.list(this.model, 2)[0];
  }

  /** Position of a table's field, 0 where it is absent. */
  field(table: number, index: number): number {
    const vtable = table - this.view.getInt32(table, true);
    const at = 4 + 2 * index;
    const offset = at < this.view.getUint16(vtable, true) ? this.view.getUint16(vtable + at, true) : 0;
    return offset === 0 ? 0 : table + offset;
  }

  /** Position of what a field points at. */
  target(table: number, index: number): number {
    const at = this.field(table, index);
    return at === 0 ? 0 : at + this.view.getUint32(at, true);
  }

  /** Positions of the tables in a list. */
  list(table: number, index: number): number[] {
    const vector = this.target(table, index);
    const at = (i: number): number => vector + 4 + 4 * i;
    return Array.from(
      { length: this.view.getUint32(vector, true) },
      (_, i) => at(i) + this.view.getUint32(at(i), true),
    );
  }

  ints(table: number, index: number): number[] {
    const vector = this.target(table, index);
    if (vector === 0) return [];
    return Array.from({ length: this.view.getUint32(vector, true) }, (_, i) =>
      this.view.getInt32(vector + 4 + 4 * i, true),
    );
  }

  /** A table's fields, all of them offsets but those named. */
  fields(table: number, count: number, numbers: Readonly<Record<number, "int32">> = {}): (Field | undefined)[] {
    return Array.from({ length: count }, (_, index) => {
      const at = this.field(table, index);
      if (at === 0) return undefined;
      return numbers[index] === undefined
        ? (["old", this.target(table, index)] as const)
        : (["int32", this.view.getInt32(at, true)] as const);
    });
  }
}

/** Writes forward; old objects lie `size` bytes further than in their file. */
class Head {
  readonly view: DataView;
  private at = 8;

  constructor(readonly size: number) {
    this.view = new DataView(new ArrayBuffer(size));
  }

  private reserve(bytes: number): number {
    const position = this.at;
    this.at = Math.ceil((position + bytes) / 4) * 4;
    if (this.at > this.size) throw new RangeError("file-surgery: the head is too small");
    return position;
  }

  private point(slot: number, to: number): void {
    this.view.setUint32(slot, to - slot, true);
  }

  table(fields: readonly (Field | undefined)[]): number {
    const vtable = this.reserve(4 + 2 * fields.length);
    const table = this.reserve(4 + 4 * fields.length);
    this.view.setUint16(vtable, 4 + 2 * fields.length, true);
    this.view.setUint16(vtable + 2, 4 + 4 * fields.length, true);
    this.view.setInt32(table, table - vtable, true);
    for (const [i, field] of fields.entries()) {
      if (field === undefined) continue;
      const slot = table + 4 + 4 * i;
      this.view.setUint16(vtable + 4 + 2 * i, slot - table, true);
      const [kind, value] = field;
      if (typeof value === "function") this.point(slot, value(this));
      else if (kind === "old") this.point(slot, value + this.size);
      else this.view.setInt32(slot, value, true);
    }
    return table;
  }

  list(old: readonly number[], more: readonly ((head: Head) => number)[]): number {
    const vector = this.reserve(4 + 4 * (old.length + more.length));
    this.view.setUint32(vector, old.length + more.length, true);
    for (const [i, position] of old.entries()) this.point(vector + 4 + 4 * i, position + this.size);
    for (const [i, make] of more.entries()) this.point(vector + 4 + 4 * (old.length + i), make(this));
    return vector;
  }

  ints(values: readonly number[]): number {
    const vector = this.reserve(4 + 4 * values.length);
    this.view.setUint32(vector, values.length, true);
    for (const [i, value] of values.entries()) this.view.setInt32(vector + 4 + 4 * i, value, true);
    return vector;
  }

  bytes(values: Uint8Array, terminated = false): number {
    const vector = this.reserve(4 + values.length + (terminated ? 1 : 0));
    this.view.setUint32(vector, values.length, true);
    new Uint8Array(this.view.buffer).set(values, vector + 4);
    return vector;
  }

  before(old: Uint8Array, root: number): Uint8Array {
    this.point(0, root);
    new Uint8Array(this.view.buffer).set(new TextEncoder().encode("TFL3"), 4);
    const out = new Uint8Array(this.size + old.length);
    out.set(new Uint8Array(this.view.buffer));
    out.set(old, this.size);
    return out;
  }
}

function isInt8(file: OldFile, tensor: number): boolean {
  const at = file.field(tensor, 1);
  return at !== 0 && file.view.getInt8(at) === INT8;
}

export interface Surgery {
  /** Every int8 tensor that an operator writes becomes an output, in the operators' order; the old outputs are no more. */
  readonly exposeAll?: boolean;
  /**
   * The builtin kernels run instead of XNNPACK. TensorFlow Lite hands no graph with a tensor of dynamic size to it, so a FILL is added
   * whose dimensions are a new graph input: "refuse/dims", int32 [1], which must be set to a size; and its output.
   */
  readonly refuseDelegate?: boolean;
}

/** The changed file. */
export function operate(bytes: Uint8Array, { exposeAll = false, refuseDelegate = false }: Surgery): Uint8Array {
  const file = new OldFile(bytes);
  const tensors = file.list(file.subgraph, 0);
  const head = new Head(Math.ceil((8192 + 8 * tensors.length) / 16) * 16);
  const computed = file.list(file.subgraph, 3).flatMap((operator) => file.ints(operator, 2));
  const outputs = exposeAll ? computed.filter((index) => isInt8(file, tensors[index])) : file.ints(file.subgraph, 2);
  const model = file.fields(file.model, 8, { 0: "int32" });
  model[7] = undefined; // signatures name the old outputs
  const subgraph = file.fields(file.subgraph, 5);
  subgraph[2] = ["new", (h) => h.ints(refuseDelegate ? [...outputs, tensors.length + 2] : outputs)];
  if (refuseDelegate) {
    const buffers = file.list(file.model, 4);
    const codes = file.list(file.model, 1);
    const zero = (h: Head) => h.table([["new", (inner) => inner.bytes(new Uint8Array(4))]]);
    const int32 = (name: string, shape: number[], buffer: number) => (h: Head) =>
      h.table([
        ["new", (inner) => inner.ints(shape)],
        ["byte", INT32],
        ["int32", buffer],
        ["new", (inner) => inner.bytes(new TextEncoder().encode(name), true)],
      ]);
    const added = [
      int32("refuse/dims", [1], 0),
      int32("refuse/value", [], buffers.length),
      int32("refuse/out", [1], 0),
    ];
    const fillCode = (h: Head) => h.table([["byte", FILL], undefined, ["int32", 1], ["int32", FILL]]);
    const fill = (h: Head) =>
      h.table([
        ["int32", codes.length],
        ["new", (inner) => inner.ints([tensors.length, tensors.length + 1])],
        ["new", (inner) => inner.ints([tensors.length + 2])],
      ]);
    model[1] = ["new", (h) => h.list(codes, [fillCode])];
    model[4] = ["new", (h) => h.list(buffers, [zero])];
    subgraph[0] = ["new", (h) => h.list(tensors, added)];
    subgraph[1] = ["new", (h) => h.ints([...file.ints(file.subgraph, 1), tensors.length])];
    subgraph[3] = ["new", (h) => h.list(file.list(file.subgraph, 3), [fill])];
  }
  model[2] = ["new", (h) => h.list([], [(inner) => inner.table(subgraph)])];
  return head.before(bytes, head.table(model));
}
