/** The value of a device tree property: 32-bit cells, NUL-terminated strings, raw bytes, or empty. */
export type PropertyContent = readonly number[] | string | readonly string[] | Uint8Array | null;

/** A node of a device tree under construction (Devicetree Specification v0.4, chapter 2). */
export class DeviceTreeNode {
  readonly name: string;
  readonly properties = new Map<string, Uint8Array>();
  readonly children: DeviceTreeNode[] = [];

  /** @param name includes the unit address; empty for the root. */
  constructor(name: string) {
    this.name = name;
  }

  add(name: string, properties: Record<string, PropertyContent> = {}): DeviceTreeNode {
    const child = new DeviceTreeNode(name);
    this.children.push(child);
    for (const [key, value] of Object.entries(properties)) child.set(key, value);
    return child;
  }

  set(name: string, value: PropertyContent): void {
    this.properties.set(name, encode(value));
  }
}

/** A 64-bit number as two cells. */
export function cells64(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32];
}

function encode(value: PropertyContent): Uint8Array {
  if (value === null) return new Uint8Array();
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return new TextEncoder().encode(`${value}\0`);
  if (isStrings(value)) return new TextEncoder().encode(value.map((each) => `${each}\0`).join(""));
  const bytes = new DataView(new ArrayBuffer(value.length * 4));
  value.forEach((cell, index) => {
    bytes.setUint32(index * 4, cell);
  });
  return new Uint8Array(bytes.buffer);
}

function isStrings(value: readonly number[] | readonly string[]): value is readonly string[] {
  return typeof value[0] === "string";
}

const MAGIC = 0xd00d_feed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const END = 9;
const HEADER_BYTES = 40;
const RESERVATION_BYTES = 16;

/** The flattened form of a tree (Devicetree Specification v0.4, chapter 5), without memory reservations. */
export function flatten(root: DeviceTreeNode): Uint8Array {
  const structure: number[] = [];
  const strings = new StringTable();
  flattenNode(root, structure, strings);
  push32(structure, END);
  const text = strings.bytes();
  const structureAt = HEADER_BYTES + RESERVATION_BYTES;
  const stringsAt = structureAt + structure.length;
  const blob = new Uint8Array(stringsAt + text.length);
  const header = [
    MAGIC,
    blob.length,
    structureAt,
    stringsAt,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    0, // boot CPU
    text.length,
    structure.length,
  ];
  const view = new DataView(blob.buffer);
  header.forEach((value, index) => {
    view.setUint32(index * 4, value);
  });
  blob.set(structure, structureAt);
  blob.set(text, stringsAt);
  return blob;
}

function flattenNode(node: DeviceTreeNode, structure: number[], strings: StringTable): void {
  push32(structure, BEGIN_NODE);
  pushPadded(structure, new TextEncoder().encode(`${node.name}\0`));
  for (const [name, value] of node.properties) {
    push32(structure, PROPERTY);
    push32(structure, value.length);
    push32(structure, strings.offset(name));
    pushPadded(structure, value);
  }
  for (const child of node.children) flattenNode(child, structure, strings);
  push32(structure, END_NODE);
}

function push32(bytes: number[], value: number): void {
  bytes.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function pushPadded(bytes: number[], content: Uint8Array): void {
  bytes.push(...content);
  while (bytes.length % 4 !== 0) bytes.push(0);
}

/** The strings block: property names, without duplicates. */
class StringTable {
  private readonly offsets = new Map<string, number>();
  private text = "";

  offset(name: string): number {
    let offset = this.offsets.get(name);
    if (offset === undefined) {
      offset = this.text.length;
      this.offsets.set(name, offset);
      this.text += `${name}\0`;
    }
    return offset;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.text);
  }
}
