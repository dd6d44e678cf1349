/** Child objects in both forms: converted there and back, compiled, and run; or refused. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { childReasons } from "../regions/reasons.ts";
import { type Conversion, newMessages, Trials } from "../testing/trial.ts";

const head = `import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { Device, SysBusDevice } from "#qdev";

const ops: MemoryRegionOps<unknown> = { read: () => 7, write: () => {} };

/** A part without a guest's view of its own. */
export class Part extends Device {
  static override readonly typeName: string = "part";
  static override readonly instanceSize: number = 200;
  rate = 1;
  private readonly words = new Uint32Array(4);
  readonly log = (line: string): void => LOG.push(line);

  protected override instanceInit(): void {
    this.words[0] = 5;
  }

  tick(by: number): number {
    this.words[1] = (this.words[1] ?? 0) + by * this.rate + (this.words[0] ?? 0);
    return this.words[1];
  }
}

declare const LOG: string[];

`;

const device = (members: string) => `${head}export class Dut extends SysBusDevice {
  static override readonly typeName: string = "dut";
  static override readonly instanceSize: number = 900;
${members}}
`;

interface Pair {
  readonly embedded: string;
  readonly owned: string;
}

const converted: Readonly<Record<string, Pair>> = {
  "a child that other methods use": {
    embedded: `
  /** Ticks. */
  readonly part = this.embed(Part);
  steps = 2;

  protected override instanceInit(): void {
    this.initializeChild("part", this.part);
    this.part.rate = 3;
  }

  protected override realize(): void {
    this.part.plug();
  }

  override reset(): void {
    LOG.push(\`\${this.part.tick(this.steps)}\`);
  }
`,
    owned: `
  /** Ticks. */
  part!: Part;
  steps = 2;

  protected override instanceInit(): void {
    this.part = this.newChild("part", Part);
    this.part.rate = 3;
  }

  protected override realize(): void {
    this.part.plug();
  }

  override reset(): void {
    LOG.push(\`\${this.part.tick(this.steps)}\`);
  }
`,
  },
  "a private child that only its creator uses": {
    embedded: `
  /** Ticks. */
  private readonly part = this.embed(Part);

  protected override realize(): void {
    this.initializeChild("part", this.part);
    this.part.rate = 3;
    LOG.push(\`\${this.part.tick(2)}\`);
  }
`,
    owned: `
  protected override realize(): void {
    /** Ticks. */
    const part = this.newChild("part", Part);
    part.rate = 3;
    LOG.push(\`\${part.tick(2)}\`);
  }
`,
  },
  "a private child that nothing uses": {
    embedded: `
  private readonly part = this.embed(Part);
  steps = 1;

  protected override instanceInit(): void {
    this.initializeChild("part", this.part);
  }
`,
    owned: `
  steps = 1;

  protected override instanceInit(): void {
    this.newChild("part", Part);
  }
`,
  },
  "an array": {
    embedded: `
  readonly ports = this.embedArray(Part, 3);

  protected override instanceInit(): void {
    for (const [index, port] of this.ports.entries()) {
      this.initializeChild(\`port\${index}\`, port);
      port.rate = index;
    }
  }

  override reset(): void {
    LOG.push(this.ports.map((port) => port.tick(1)).join());
  }
`,
    owned: `
  readonly ports: Part[] = [];

  protected override instanceInit(): void {
    for (let index = 0; index < 3; index++) {
      const port = this.newChild(\`port\${index}\`, Part);
      this.ports[index] = port;
      port.rate = index;
    }
  }

  override reset(): void {
    LOG.push(this.ports.map((port) => port.tick(1)).join());
  }
`,
  },
  "an array by its indices": {
    embedded: `
  readonly ports = this.embedArray(Part, 2);

  protected override instanceInit(): void {
    for (let i = 0; i < 2; i++) this.initializeChild(\`port\${i}\`, this.ports[i]!);
  }

  override reset(): void {
    for (const port of this.ports) LOG.push(\`\${port.tick(1)}\`);
  }
`,
    owned: `
  readonly ports: Part[] = [];

  protected override instanceInit(): void {
    for (let i = 0; i < 2; i++) this.ports[i] = this.newChild(\`port\${i}\`, Part);
  }

  override reset(): void {
    for (const port of this.ports) LOG.push(\`\${port.tick(1)}\`);
  }
`,
  },
  "a child under a condition that holds wherever it is used": {
    embedded: `
  readonly part = this.embed(Part);
  readonly hasPart: boolean = true;

  protected override realize(): void {
    if (this.hasPart) {
      this.initializeChild("part", this.part);
    }
  }

  override reset(): void {
    if (this.hasPart) LOG.push(\`\${this.part.tick(1)}\`);
  }
`,
    owned: `
  part!: Part;
  readonly hasPart: boolean = true;

  protected override realize(): void {
    if (this.hasPart) {
      this.part = this.newChild("part", Part);
    }
  }

  override reset(): void {
    if (this.hasPart) LOG.push(\`\${this.part.tick(1)}\`);
  }
`,
  },
  "beside a region, which stays as it is": {
    embedded: `
  private readonly io = this.embed(MemoryRegion);
  private readonly part = this.embed(Part);

  protected override instanceInit(): void {
    this.initializeChild("part", this.part);
  }

  protected override realize(): void {
    this.io.initIo(this, ops, this, "dut", 0x100);
    this.initMmio(this.io);
    this.part.plug();
  }
`,
    owned: `
  private readonly io = this.embed(MemoryRegion);
  private part!: Part;

  protected override instanceInit(): void {
    this.part = this.newChild("part", Part);
  }

  protected override realize(): void {
    this.io.initIo(this, ops, this, "dut", 0x100);
    this.initMmio(this.io);
    this.part.plug();
  }
`,
  },
  "fields taken out of the child, and the child passed on": {
    embedded: `
  readonly part = this.embed(Part);

  protected override instanceInit(): void {
    this.initializeChild("part", this.part);
    const { rate } = this.part;
    LOG.push(\`\${rate}\`);
  }

  protected override realize(): void {
    start(this.part);
  }
}

function start(part: Part): void {
  part.rate = 9;
  part.plug();
`,
    owned: `
  part!: Part;

  protected override instanceInit(): void {
    this.part = this.newChild("part", Part);
    const { rate } = this.part;
    LOG.push(\`\${rate}\`);
  }

  protected override realize(): void {
    start(this.part);
  }
}

function start(part: Part): void {
  part.rate = 9;
  part.plug();
`,
  },
};

/** A name, the members of a device, the reason, and code beside it. */
type Refused = readonly [name: string, members: string, reason: string, around?: string];

const init = `this.initializeChild("part", this.part);`;
const field = "  readonly part = this.embed(Part);\n";
const refusedToOwned: readonly Refused[] = [
  [
    "used before",
    `${field}  protected override instanceInit(): void { this.part.rate = 2; ${init} }\n`,
    "used-before-creation",
  ],
  [
    "used by a setter",
    `${field}  set rate(rate: number) { this.part.rate = rate; }\n  protected override realize(): void { ${init} }\n`,
    "used-before-creation",
  ],
  [
    "unparented",
    `${field}  protected override realize(): void { ${init} }\n  protected override unrealize(): void { this.part.unparent(); }\n`,
    "child-unparented",
  ],
  [
    "removed at run time",
    `${field}  protected override realize(): void { ${init} }\n  drop(): void { this.part.remove(); }\n`,
    "child-unparented",
  ],
  [
    "initialised and added by hand",
    `${field}  protected override realize(): void { this.model.initialize(this.part); this.addChild("part", this.part); this.part.unref(); }\n`,
    "child-referenced",
  ],
  [
    "unparented by a function",
    `${field}  protected override realize(): void { ${init} }\n  protected override unrealize(): void { drop(this.part); }\n`,
    "child-unparented",
    "function drop(part: Device): void { part.unparent(); }\n",
  ],
  [
    "unparented as one of the children",
    `${field}  protected override realize(): void { ${init} }\n  protected override unrealize(): void { for (const [, each] of this.children()) each.unparent(); }\n`,
    "child-unparented",
  ],
  [
    "unparents itself",
    `  readonly part = this.embed(Leaving);\n  protected override realize(): void { ${init} }\n`,
    "child-unparented",
    "class Leaving extends Part { leave(): void { this.unparent(); } }\n",
  ],
  [
    "referenced",
    `${field}  protected override realize(): void { ${init} this.part.ref(); }\n`,
    "child-referenced",
  ],
  [
    "linked",
    `${field}  protected override realize(): void { ${init} this.addLink("peer", "part", this.part, true); }\n`,
    "child-referenced",
  ],
  [
    "numbered as it is constructed",
    `  readonly part = this.embed(Numbered);\n  protected override realize(): void { ${init} }\n`,
    "construction-observed",
    "let next = 0;\nclass Numbered extends Part { readonly number = next++; }\n",
  ],
  [
    "numbered by a function",
    `  readonly part = this.embed(Numbered);\n  protected override realize(): void { ${init} }\n`,
    "construction-observed",
    "let next = 0;\nfunction number(): number { return next++; }\nclass Numbered extends Part { readonly number = number(); }\n",
  ],
  [
    "sees the time as it is constructed",
    `  readonly part = this.embed(Timed);\n  protected override realize(): void { ${init} }\n`,
    "construction-observed",
    "class Timed extends Part { readonly born = this.clock.now; }\n",
  ],
  [
    "registers as it is constructed",
    `  readonly part = this.embed(Named);\n  protected override realize(): void { ${init} }\n`,
    "construction-observed",
    'class Named extends Part { readonly path = this.model.nextBusName("x"); }\n',
  ],
  [
    "has a part that registers as it is constructed",
    `  readonly part = this.embed(Outer);\n  protected override realize(): void { ${init} }\n`,
    "construction-observed",
    "const all: unknown[] = [];\nclass Inner { readonly place = all.push(this); }\nclass Outer extends Part { readonly inner = new Inner(); }\n",
  ],
  [
    "initialised by another name",
    `${field}  protected override realize(): void { const p = this.part; this.initializeChild("part", p); }\n`,
    "created-through-alias",
  ],
  [
    "initialised by a helper",
    `${field}  protected override realize(): void { this.add("part", this.part); }\n  private add(name: string, part: Part): void { this.initializeChild(name, part); }\n`,
    "created-by-helper",
  ],
  ["never initialised", `${field}`, "never-created"],
  ["initialised again at each reset", `${field}  override reset(): void { ${init} }\n`, "created-many-times"],
  [
    "initialised in a callback",
    `${field}  protected override realize(): void { this.clock.at(5, () => { ${init} }); }\n`,
    "created-in-closure",
  ],
  [
    "used in instanceFinalize",
    `${field}  protected override realize(): void { ${init} }\n  protected override instanceFinalize(): void { this.part.tick(1); }\n`,
    "used-after-release",
  ],
  [
    "the storage is looked at",
    `${field}  protected override realize(): void { ${init} LOG.push(String(this.part.block === this.block)); }\n`,
    "storage-observed",
  ],
  [
    "arguments spread",
    `${field}  protected override realize(): void { this.initializeChild(...(["part", this.part] as const)); }\n`,
    "never-created",
  ],
  ["static", `  static readonly part = 1;\n  readonly parts = [this.embed(Part)];\n`, "field-form"],
];

const make = `this.part = this.newChild("part", Part);`;
const owned = "  part!: Part;\n";
const refusedToEmbedded: readonly Refused[] = [
  [
    "has a region, which views may show after the parent has gone",
    `  part!: Window;\n  protected override realize(): void { this.part = this.newChild("part", Window); }\n`,
    "child-outlives-parent",
    'class Window extends Part { private io!: MemoryRegion; protected override realize(): void { this.io = MemoryRegion.newIo(this, ops, this, "w", 8); } }\n',
  ],
  [
    "replaced",
    `${owned}  protected override realize(): void { ${make} }\n  override reset(): void { this.part = new2(this); }\n`,
    "reassigned",
    "function new2(device: Dut): Part { return device.part; }\n",
  ],
  [
    "tested for",
    `  part: Part | null = null;\n  protected override realize(): void { ${make} }\n  override reset(): void { if (this.part !== null) this.part.tick(1); }\n`,
    "identity-compared",
  ],
  [
    "one of two classes",
    `  part!: Device;\n  readonly big: boolean = false;\n  protected override realize(): void { if (this.big) { this.part = this.newChild("part", Part); } else { this.part = this.newChild("part", Big); } }\n`,
    "no-counterpart",
    "class Big extends Part { override rate = 2; }\n",
  ],
  ["returned at once", '  make(): Part { return this.newChild("part", Part); }\n', "created-in-expression"],
  [
    "made at each call",
    `  add(name: string): void { const part = this.newChild(name, Part); part.rate = 2; }\n  protected override realize(): void { this.add("a"); this.add("b"); }\n`,
    "created-many-times",
  ],
];

const trials = new Trials({ subject: "children", thoroughness: "brief" });
const programs = (cases: ReadonlyMap<string, string>) =>
  new Map([...cases].map(([name, text]) => [name, { "dev.ts": text }]));

describe("converted there and back", () => {
  let there: Map<string, Conversion>;
  let back: Map<string, Conversion>;

  beforeAll(() => {
    const cases = (form: keyof Pair) =>
      new Map(Object.entries(converted).map(([name, pair]) => [name, device(pair[form])]));
    there = trials.convert(programs(cases("embedded")), "to-owned");
    back = trials.convert(programs(cases("owned")), "to-embedded");
  }, 120_000);

  test.each(Object.entries(converted))("%s", async (name, pair) => {
    const before = { "dev.ts": device(pair.embedded) };
    const after = { "dev.ts": device(pair.owned) };
    expect(there.get(name)).toEqual({ after, changed: true, reasons: [], crash: null });
    expect(back.get(name)?.after["dev.ts"]).toBe(before["dev.ts"]);
    expect(newMessages(new Map([[name, { before, after }]])).get(name)).toEqual([]);
    const proofs = await trials.prove(name, before, after);
    expect(proofs.filter(({ className }) => className === "Dut")).toMatchObject([
      { verdict: "equal", differences: [] },
    ]);
  });
});

describe.each([
  ["to-owned", refusedToOwned],
  ["to-embedded", refusedToEmbedded],
] as const)("refused %s", (direction, cases: readonly Refused[]) => {
  let found: Map<string, Conversion>;
  const text = (members: string, around = "") => device(members) + around;

  beforeAll(() => {
    const texts = new Map(cases.map(([name, members, , around]) => [name, text(members, around)]));
    found = trials.convert(programs(texts), direction);
  }, 120_000);

  test.each(cases.map((each) => [each[0], each] as const))("%s", (name, [, members, reason, around]) => {
    const after = { "dev.ts": text(members, around) };
    expect(found.get(name)).toEqual({ after, changed: false, reasons: [reason], crash: null });
  });
});

test("every reason that only children have is among them", () => {
  const shown = new Set([...refusedToOwned, ...refusedToEmbedded].map(([, , reason]) => reason));
  expect(childReasons.filter((reason) => !shown.has(reason))).toEqual([]);
});

afterAll(() => trials.close());
