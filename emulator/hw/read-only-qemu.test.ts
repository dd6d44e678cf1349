/** What read-only aliases, containers and roots of address spaces protect, asked of QEMU's own memory core. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AddressSpace, MemoryRegion } from "#memory";
import { DeviceModel } from "#qdev";
import { askMemoryCore, needs } from "./testing/qemu.ts";

const PAGE = 0x1000;
const RAM = 2 * PAGE;
const PROBED = [0, PAGE - 1, PAGE, RAM - 1];

/** What is put on top of a region, from the RAM up to the root of an address space. */
interface Layer {
  readonly kind: "alias" | "container";
  /** Where the alias begins in what is below, or where that is in the container. */
  readonly offset: number;
  readonly size: number;
  /** A container's second region, a window onto other RAM. */
  readonly beside: "nothing" | "disabled" | "enabled";
  readonly readOnly: boolean;
  readonly disabled: boolean;
}

const often = (on: number, off: number) =>
  fc.oneof({ weight: on, arbitrary: fc.constant(true) }, { weight: off, arbitrary: fc.constant(false) });
const layers: fc.Arbitrary<Layer> = fc.record({
  kind: fc.constantFrom("alias", "container"),
  offset: fc.constantFrom(0, 0, 0, PAGE),
  size: fc.constantFrom(PAGE, RAM, RAM, 3 * PAGE),
  beside: fc.constantFrom("nothing", "nothing", "disabled", "enabled"),
  readOnly: often(1, 1),
  disabled: often(1, 12),
});
const stacks = fc.record({
  rom: often(1, 4),
  layers: fc.array(layers, { maxLength: 4 }),
});

type Stack = typeof stacks extends fc.Arbitrary<infer T> ? T : never;

/** Builds the same in QEMU, by the lines it is told, and here, where the answers come at once. */
class Both {
  readonly lines: string[] = [];
  readonly answers: string[] = [];
  private model = new DeviceModel();
  private readonly regions: MemoryRegion[] = [];
  private readonly spaces: AddressSpace[] = [];

  private enter(line: string, region: MemoryRegion): number {
    this.lines.push(line);
    return this.regions.push(region) - 1;
  }

  private region(number: number): MemoryRegion {
    return this.regions[number] as MemoryRegion; // numbers are those that `enter` returned
  }

  private get name(): string {
    return `asked-${this.regions.length}`;
  }

  /** What has been built so far stays out of the way: nothing ends. */
  startAgain(): void {
    this.model = new DeviceModel({ checked: "throw" });
  }

  ram(size: number): number {
    return this.enter(`ram ${size}`, MemoryRegion.newRamNomigrate(this.model.noOwner, this.name, size));
  }

  container(size: number): number {
    return this.enter(`container ${size}`, MemoryRegion.new(this.model.noOwner, this.name, size));
  }

  alias(target: number, offset: number, size: number): number {
    const { noOwner } = this.model;
    const alias = MemoryRegion.newAlias(noOwner, this.name, this.region(target), offset, size);
    return this.enter(`alias ${target} ${offset} ${size}`, alias);
  }

  add(container: number, offset: number, region: number): void {
    this.lines.push(`add ${container} ${offset} ${region}`);
    this.region(container).addSubregion(offset, this.region(region));
  }

  protect(region: number): void {
    this.lines.push(`readonly ${region}`);
    this.region(region).setReadOnly(true);
  }

  disable(region: number): void {
    this.lines.push(`disable ${region}`);
    this.region(region).setEnabled(false);
  }

  space(root: number): number {
    this.lines.push(`space ${root}`);
    return this.spaces.push(new AddressSpace(this.model, this.region(root), this.name)) - 1;
  }

  transfer(what: "read" | "write", space: number, address: number, byte: number): void {
    this.lines.push(`${what} ${space} ${address} ${byte}`);
    const bytes = Uint8Array.of(byte);
    const by = this.spaces[space] as AddressSpace; // as above
    const outcome = what === "read" ? by.readBytes(address, bytes) : by.writeBytes(address, bytes);
    // What a refused read leaves there is another matter.
    this.answers.push(outcome === 0 || what === "write" ? `${outcome} ${bytes[0]}` : `${outcome}`);
  }

  find(root: number, offset: number): void {
    this.lines.push(`find ${root} ${offset}`);
    const found = this.region(root).find(offset, 1);
    if (found === undefined) this.answers.push("none");
    else {
      const number = this.regions.indexOf(found.region);
      this.answers.push(`${number} ${found.offset} ${Number(found.readOnly)}`);
      found.release();
    }
  }
}

/** Builds a stack and probes it; each probe writes another byte, and all RAM is read after each. */
function probe(both: Both, { rom, layers }: Stack): void {
  both.startAgain();
  const below = both.ram(RAM);
  const beside = both.ram(RAM);
  if (rom) both.protect(below);
  const stores = [both.space(below), both.space(beside)];
  let root = below;
  for (const { kind, offset, size, beside: second, readOnly, disabled } of layers) {
    const under = root;
    if (kind === "alias") root = both.alias(under, offset, size);
    else {
      root = both.container(size);
      // What is below may be in a container already, or be the root of a space.
      both.add(root, offset, both.alias(under, 0, RAM));
      if (second !== "nothing") {
        const window = both.alias(beside, 0, PAGE);
        if (second === "disabled") both.disable(window);
        both.add(root, PAGE, window);
      }
    }
    if (readOnly) both.protect(root);
    if (disabled) both.disable(root);
  }
  const space = both.space(root);
  for (const [index, address] of PROBED.entries()) {
    both.find(root, address);
    both.transfer("write", space, address, 0x11 * (index + 1));
    both.transfer("read", space, address, 0);
    for (const store of stores) for (const at of PROBED) both.transfer("read", store, at, 0);
  }
}

test("what can be written through stacks of read-only regions is what QEMU lets be written", (context) => {
  needs(context, "qemu-system-riscv64", "gcc");
  const both = new Both();
  for (const stack of fc.sample(stacks, { numRuns: 150, seed: 20_261_130 })) probe(both, stack);
  const told = askMemoryCore(both.lines);
  if (told === null)
    return context.skip("this QEMU's functions cannot be called from outside: nobody to ask");
  const asked = both.lines.filter((line) => /^(find|read|write) /.test(line));
  const plain = told.map((answer, index) =>
    asked[index]?.startsWith("read ") && !answer.startsWith("0 ") ? (answer.split(" ")[0] ?? "") : answer,
  );
  expect(plain).toHaveLength(both.answers.length);
  const differing = both.answers.flatMap((answer, index) =>
    answer === plain[index] ? [] : [`${asked[index]}: here ${answer}, QEMU ${plain[index]}`],
  );
  expect(differing.slice(0, 5)).toEqual([]);
  // All kinds of outcomes have been seen, among them a read-only map whose RAM was written all the same.
  const writes = both.answers.filter((_, index) => asked[index]?.startsWith("write"));
  expect(new Set(writes.map((answer) => answer.split(" ")[0]))).toEqual(new Set(["0", "2"]));
  const writtenThrough = asked.filter(
    (line, index) =>
      line.startsWith("find") &&
      both.answers[index]?.endsWith(" 1") &&
      both.answers[index + 1]?.startsWith("0 "),
  );
  expect(writtenThrough.length).toBeGreaterThan(50);
}, 120_000);
