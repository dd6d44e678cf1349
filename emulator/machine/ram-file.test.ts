import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CommandError, openRamFile } from "#host";
import {
  AddressSpace,
  MemoryModel,
  type MemoryModelOptions,
  MemoryRegion,
  MemTxResult,
  type RamFileOptions,
  WHOLE_ADDRESS_SPACE,
} from "#memory";
import { ObjectState, QomError, QomObject } from "#qom";

const PAGE = 0x1000;
const FORMS = ["embedded", "owned"] as const;
const folder = mkdtempSync(join(tmpdir(), "ram-kinds-"));
afterAll(() => rmSync(folder, { recursive: true }));

class EmbeddingOwner extends QomObject {
  static override readonly typeName = "test-file-owner";
  declare readonly model: MemoryModel;
  readonly region = this.embed(MemoryRegion);
}

function testMemory(options: MemoryModelOptions = {}) {
  const model = new MemoryModel(options);
  const root = MemoryRegion.new(model.noOwner, "root", WHOLE_ADDRESS_SPACE);
  return { model, root, space: new AddressSpace(model, root, "memory") };
}

let files = 0;
function file(content: Uint8Array | null): string {
  const path = join(folder, `memory-${++files}`);
  if (content !== null) writeFileSync(path, content);
  return path;
}

describe.each(FORMS)("RAM from a file, %s", (form) => {
  function fromFile(path: string, size: number, options: RamFileOptions = {}, checked?: "throw") {
    const memory = testMemory({ openRamFile, ...(checked && { checked }) });
    const owner = memory.model.create(EmbeddingOwner);
    let { region } = owner;
    if (form === "embedded") region.initRamFromFile(owner, "file", size, path, options);
    else region = MemoryRegion.newRamFromFile(owner, "file", size, path, options);
    memory.root.addSubregion(0, region);
    return { ...memory, owner, region };
  }

  const counting = Uint8Array.from({ length: 3 * PAGE }, (_, i) => i >> 8);

  it("has the bytes of the file, which stays as it is unless it is shared", () => {
    const path = file(counting);
    const { model, space } = fromFile(path, 2 * PAGE, { offset: PAGE });
    expect(space.read(0x100, 4)).toBe(0x1111_1111);
    space.write(0x100, 4, 0);
    expect(space.read(0x100, 4)).toBe(0);
    model.destroy();
    expect(Buffer.compare(readFileSync(path), counting)).toBe(0);
  });

  it("writes what has changed to a shared file when asked to, and when it ends", () => {
    const path = file(counting);
    const { model, root, space, owner, region } = fromFile(
      path,
      2 * PAGE,
      { share: true, offset: PAGE },
      "throw",
    );
    space.write(0x10, 4, 0xaabb_ccdd);
    space.write(PAGE + 0x10, 4, 0x1122_3344);
    region.writeBack(PAGE, 4);
    const expected = Buffer.from(counting);
    expected.writeUInt32LE(0x1122_3344, 2 * PAGE + 0x10);
    expect(Buffer.compare(readFileSync(path), expected)).toBe(0);
    root.delSubregion(region);
    owner.unref();
    model.rcu.drain();
    expect(owner.state).toBe(ObjectState.Freed);
    expected.writeUInt32LE(0xaabb_ccdd, PAGE + 0x10);
    expect(Buffer.compare(readFileSync(path), expected)).toBe(0);
  });

  it("makes a shared file that is missing or empty, and no other", () => {
    for (const path of [file(null), file(new Uint8Array())]) {
      const { model, space, owner } = fromFile(path, PAGE, { share: true });
      space.write(PAGE - 4, 4, 7);
      owner.unref();
      model.destroy();
      const bytes = readFileSync(path);
      expect([bytes.length, bytes.readUInt32LE(PAGE - 4)]).toEqual([PAGE, 7]);
    }
    expect(() => fromFile(file(null), PAGE)).toThrow(
      /memory-\d+: cannot be opened \(ENOENT\); give the path/,
    );
    expect(() => fromFile(file(null), PAGE, { share: true, readOnly: true })).toThrow(/ENOENT/);
    expect(() => fromFile(file(new Uint8Array()), PAGE)).toThrow(/has 0 bytes, not the 4096/);
  });

  it("is only read if it is read-only", () => {
    const path = file(counting);
    chmodSync(path, 0o400);
    const { model, space } = fromFile(path, PAGE, { share: true, readOnly: true });
    space.write(0, 4, 1);
    expect([space.result, space.read(0, 4)]).toEqual([MemTxResult.DecodeError, 0]);
    expect(() => fromFile(path, PAGE).region.writeBack()).toThrow(/does not share a file/);
    model.destroy();
  });

  it("names what is wrong, and leaves no region behind", () => {
    const { model } = testMemory({ openRamFile });
    const owner = model.create(EmbeddingOwner);
    const make = (path: string, size: number) => {
      if (form === "embedded") owner.region.initRamFromFile(owner, "file", size, path);
      else MemoryRegion.newRamFromFile(owner, "file", size, path);
    };
    expect(() => make(file(counting), 4 * PAGE)).toThrow(
      /has 12288 bytes, not the 16384 that are needed; make/,
    );
    const place = join(folder, `folder-${form}`);
    mkdirSync(place);
    expect(() => make(place, PAGE)).toThrow(CommandError);
    expect(() => make(place, PAGE)).toThrow(/not a regular file/);
    expect([...owner.children()]).toEqual([]);
    const elsewhere = testMemory().model.create(EmbeddingOwner);
    expect(() => elsewhere.region.initRamFromFile(elsewhere, "file", PAGE, place)).toThrow(QomError);
  });
});
