/** Reader of flattened device trees (Devicetree Specification v0.4, chapter 5), independent of the writer. */

/** Properties by node path and name, values as hexadecimal bytes. */
export type Nodes = Map<string, Map<string, string>>;

const BEGIN_NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const NOP = 4;
const END = 9;

/** @throws Error when the blob is not well-formed. */
export function readDeviceTree(blob: Uint8Array): Nodes {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (view.getUint32(0) !== 0xd00d_feed) throw new Error("not a flattened device tree: wrong magic number");
  const stringsAt = view.getUint32(12);
  const nodes: Nodes = new Map();
  const path: string[] = [];
  let at = view.getUint32(8);
  const next = () => {
    at += 4;
    return view.getUint32(at - 4);
  };
  const align = () => {
    at = (at + 3) & ~3;
  };
  for (;;) {
    const token = next();
    const current = path.length === 1 ? "/" : path.join("/");
    if (token === END) return nodes;
    if (token === NOP) continue;
    if (token === BEGIN_NODE) {
      const name = text(blob, at);
      at += name.length + 1;
      align();
      path.push(name);
      nodes.set(path.length === 1 ? "/" : path.join("/"), new Map());
    } else if (token === END_NODE) {
      path.pop();
    } else if (token === PROPERTY) {
      const length = next();
      const name = text(blob, stringsAt + next());
      const value = Buffer.from(blob.subarray(at, at + length)).toString("hex");
      nodes.get(current)?.set(name, value);
      at += length;
      align();
    } else {
      throw new Error(`unexpected token ${token} at ${at - 4}`);
    }
  }
}

function text(blob: Uint8Array, from: number): string {
  return new TextDecoder().decode(blob.subarray(from, blob.indexOf(0, from)));
}
