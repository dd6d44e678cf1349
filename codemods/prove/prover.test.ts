import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { MUTATIONS, RICH_EMBEDDED, RICH_OWNED } from "../testing/rich-device.ts";
import { type Conversion, type Proof, Prover } from "./prover.ts";

const HOME = join(import.meta.dirname, "../../emulator/hw/proved");
const DEVICE = join(HOME, "device.ts");

const prover = new Prover();
afterAll(() => prover.close());

const conversion = (
  before: string,
  after: string,
  more: Readonly<Record<string, string>> = {},
): Conversion => {
  const others = Object.entries(more).map(([name, text]): [string, string] => [join(HOME, name), text]);
  return { before: new Map([[DEVICE, before], ...others]), after: new Map([[DEVICE, after], ...others]) };
};

async function proof(before: string, after: string, by = prover): Promise<Proof> {
  const [only, ...others] = await by.prove(conversion(before, after));
  if (only === undefined || others.length > 0) throw new Error("not one proof");
  return only;
}

describe("a rich device", () => {
  test.each([
    ["to owned", RICH_EMBEDDED, RICH_OWNED],
    ["to embedded", RICH_OWNED, RICH_EMBEDDED],
  ])("is equal in both forms, %s", async (_, before, after) => {
    const { verdict, differences, steps, notes } = await proof(before, after);
    expect(differences).toEqual([]);
    expect(verdict).toBe("equal");
    expect(steps).toBeGreaterThan(200);
    expect(notes).toEqual([
      "realized again, plug: the embedded form initialises storage that is in use; not compared from there on",
    ]);
  });

  test.each(["device.mts", "device.cts", "device.tsx"])("is driven as %s, too", async (name) => {
    const [path, more] = [join(HOME, name), RICH_OWNED.replace("offset * 3", "offset * 4")];
    const proofOfFile = async (after: string) =>
      (await prover.prove({ before: new Map([[path, RICH_EMBEDDED]]), after: new Map([[path, after]]) })).map(
        ({ verdict }) => verdict,
      );
    expect(await proofOfFile(RICH_OWNED)).toEqual(["equal"]);
    expect(await proofOfFile(more)).toEqual(["different"]);
  });

  test("equal sources need no proof", async () => {
    expect(await prover.prove(conversion(RICH_OWNED, RICH_OWNED))).toEqual([]);
  });

  test("equal seeds give equal proofs", async () => {
    const broken = RICH_OWNED.replace("offset * 3", "offset * 4");
    expect(await proof(RICH_EMBEDDED, broken)).toEqual(await proof(RICH_EMBEDDED, broken));
  });
});

describe("a broken conversion is found", () => {
  const impatient = new Prover({ timeLimit: 5000 });
  afterAll(() => impatient.close());

  test.each(MUTATIONS)(
    "$name",
    async ({ from, to, finds }) => {
      const broken = RICH_OWNED.replace(from, to);
      expect(broken).not.toBe(RICH_OWNED);
      const { verdict, differences } = await proof(RICH_EMBEDDED, broken, impatient);
      expect(verdict).toBe("different");
      expect(differences.map(({ what }) => what)).toContain(finds);
    },
    180_000,
  ); // a process that has used up its objects' memory ends only after long collections

  test("and the next one is proved as if nothing had happened", async () => {
    expect((await proof(RICH_EMBEDDED, RICH_OWNED, impatient)).verdict).toBe("equal");
  });
});

describe("a use of a device that is not plugged is found", () => {
  const form = (field: string, create: string, members: string) => `import { MemoryRegion } from "#memory";
import { SysBusDevice } from "#qdev";
export class Dut extends SysBusDevice {
  static override readonly typeName: string = "dut";
  ${field}
  protected override realize(): void { ${create} this.initMmio(this.region); }
  ${members}
}
`;
  const embedded = (members: string) =>
    form("readonly region = this.embed(MemoryRegion);", 'this.region.init(this, "r", 8);', members);
  const owned = (members: string) =>
    form("region!: MemoryRegion;", 'this.region = MemoryRegion.new(this, "r", 8);', members);

  test.each([
    [
      "an option",
      'static override readonly properties = [{ name: "x", type: "size", get: (d: Dut) => d.region.size }];',
    ],
    ["an input", "override instanceInit(): void { this.initGpioIn(1, () => void this.region.size); }"],
    ["an override", "override describe(): string { return String(this.region.size); }"],
    ["a getter", "override get hotpluggable(): boolean { return this.region.size > 1; }"],
    ["the end", "protected override onUnparent(): void { void this.region.size; super.onUnparent(); }"],
    [
      "how a board plugs it",
      "override plugIntoSystemBus(): void { void this.region.size; super.plugIntoSystemBus(); }",
    ],
  ])("by %s", async (_way, members) => {
    expect((await proof(embedded(members), owned(members))).verdict).toBe("different");
  });

  test("but not where it only seems to be", async () => {
    const members = "get size(): number { return this.region.size; }";
    expect((await proof(embedded(members), owned(members))).verdict).toBe("equal");
  });
});

describe("what cannot be driven is said", () => {
  const head = 'import { MemoryRegion } from "#memory";\nimport { SysBusDevice } from "#qdev";\n';
  const device = (members: string) => `${head}export class Dut extends SysBusDevice {
  static override readonly typeName: string = "dut";
  readonly ram = this.embed(MemoryRegion);
${members}
}
`;
  const notDriven = async (before: string) => {
    const proofs = await prover.prove(conversion(before, `${before}// converted\n`));
    expect(proofs.map(({ verdict }) => verdict)).toEqual(["not driven"]);
    return proofs.flatMap(({ notes }) => notes).join("; ");
  };

  test("a constructor with arguments", async () => {
    const text = device("  constructor(storage: never, size: number) { super(storage); void size; }");
    expect(await notDriven(text)).toBe("its constructor needs arguments");
  });

  test("an abstract class that nothing extends", async () => {
    expect(await notDriven(device("").replace("export class", "export abstract class"))).toContain(
      "abstract",
    );
  });

  test("a class that only a function creates", async () => {
    const text = `${head}export const mixin = () => class Hidden extends SysBusDevice {};\nvoid MemoryRegion;\n`;
    expect(await notDriven(text)).toBe("only a function creates the class");
  });

  test("a device that cannot be plugged without a property", async () => {
    const text = device('  protected override realize(): void { throw new Error("set size first"); }');
    expect(await notDriven(text)).toContain("plain life: plug throws Error: set size first");
  });

  test("a device of a bus that the sources lack", async () => {
    const text = device('  override readonly busType: string | null = "other-bus";');
    expect(await notDriven(text)).toContain("it sits on a bus of type other-bus");
  });

  test("a source that does not run", async () => {
    expect(await notDriven(`${device("")}throw new Error("not now");\n`)).toContain(
      "cannot be loaded: not now",
    );
    expect(await notDriven(`${device("")}import "./missing.ts";\n`)).toContain(
      "./missing.ts, which cannot be resolved",
    );
  });

  test("a source that is not deterministic", async () => {
    const text = device(
      '  protected override realize(): void { this.ram.initRam(this, "r" + process.hrtime.bigint(), 64); }',
    );
    expect(await notDriven(text)).toContain("not deterministic");
  });
});

describe("a device that does not let its process live", () => {
  const hostile = new Prover({ timeLimit: 5000, memory: { heap: 256, resident: 512 } });
  afterAll(() => hostile.close());

  // V8 ends a process, not a thread, over an array that it cannot make. Buffers are outside the limits of V8.
  test.each([
    ["makes a huge array", 'void "x".repeat(2 ** 28).split("");', "ran out of memory"],
    [
      "fills buffers",
      "const all: Uint8Array[] = []; for (;;) all.push(new Uint8Array(2 ** 24).fill(1));",
      "ran out of memory",
    ],
    ["does not return", "for (;;);", "did not end within 5 s"],
    ["exits", "process.exit(0);", "ended the process"],
    ["aborts", "process.abort();", "ended the process"],
  ])(
    "%s",
    async (_, statements, reason) => {
      const broken = RICH_OWNED.replace("realize(): void {", `realize(): void { ${statements}`);
      expect(broken).not.toBe(RICH_OWNED);
      const { verdict, differences, notes } = await proof(RICH_EMBEDDED, broken, hostile);
      expect(verdict).toBe("different");
      expect(JSON.stringify([differences, notes])).toContain(reason);
      expect((await proof(RICH_EMBEDDED, RICH_OWNED, hostile)).verdict).toBe("equal");
    },
    60_000,
  );
});

describe("sources", () => {
  const base = `import { MemoryRegion } from "#memory";
import { SysBusDevice } from "#qdev";
export abstract class Base extends SysBusDevice {
  protected override realize(): void {
    this.initMmio(MemoryRegion.newRam(this, "ram", SIZE));
  }
}
const SIZE = 0x100;
`;
  const leaf = `import { Base } from "./device.ts";
class Leaf extends Base {
  static override readonly typeName: string = "leaf";
}
export { Leaf as Renamed };
`;

  test("a class is proved when a file that it imports changes, whether it is exported or not", async () => {
    const more = { "leaf.ts": leaf, "other.ts": "export const unrelated = 1;\n" };
    const equal = await prover.prove(conversion(base, `${base}// converted\n`, more));
    expect(equal.map(({ className, verdict }) => [className, verdict])).toEqual([["Leaf", "equal"]]);
    const different = await prover.prove(conversion(base, base.replace("0x100", "0x200"), more));
    expect(different.map(({ verdict }) => verdict)).toEqual(["different"]);
  });

  test("a default class without a name, decorators, import.meta and a namespace import", async () => {
    const text = `import * as memory from "#memory";
import { SysBusDevice } from "#qdev";
function tracked(_value: unknown, _context: DecoratorContext): void {}
@tracked
export default class extends SysBusDevice {
  static override readonly typeName: string = "dut";
  @tracked private readonly where = import.meta.url.length;
  protected override realize(): void {
    this.initMmio(memory.MemoryRegion.newRam(this, "ram", 0x1000 + this.where));
  }
}
`;
    const proofs = await prover.prove(conversion(text, `${text}// converted\n`));
    expect(proofs.map(({ className, verdict }) => [className, verdict])).toEqual([["default", "equal"]]);
  });
});
