import { describe, expect, test } from "vitest";
import { answersFor } from "./testing/program.ts";

/** A class `Dut` with these members. */
const dut = (members: string, before = "") => `${before}\nexport class Dut extends Device {\n${members}\n}\n`;
const realize = (body: string, more = "") => dut(`protected override realize(): void { ${body} }\n${more}`);

describe("how often", () => {
  test("hooks run once, in order", () => {
    const life = answersFor(
      dut(`
        field = mark(1);
        protected override instanceInit(): void { mark(2); }
        protected override realize(): void { mark(3); }
        protected override unrealize(): void { mark(4); }
        protected override instanceFinalize(): void { mark(5); }
      `),
    );
    for (const mark of [1, 2, 3, 4, 5]) expect(life.times(mark)).toBe("once");
    expect(life.order(3, 4)).toBe("after");
    expect(life.order(4, 3)).toBe("before");
    expect(life.order(1, 2)).toBe("after");
    expect(life.order(4, 5)).toBe("after");
  });

  test("branches, loops and calls", () => {
    const life = answersFor(
      realize(
        `if (cond()) mark(1); else mark(2);
         for (let i = 0; i < 3; i++) mark(3);
         this.helper(); this.helper();
         this.single();
         while (cond()) { mark(6); break; }`,
        `private helper(): void { mark(4); }
         private single(): void { mark(5); }
         private idle(): void { mark(7); }`,
      ),
    );
    expect(life.times(1)).toBe("at-most-once");
    expect(life.times(2)).toBe("at-most-once");
    expect(life.times(3)).toBe("many");
    expect(life.times(4)).toBe("many");
    expect(life.times(5)).toBe("once");
    expect(life.times(6)).toBe("at-most-once");
    expect(life.times(7)).toBe("never");
    expect(life.order(1, 3)).toBe("maybe-before");
  });

  test("a loop with a constant bound has completed once it is left", () => {
    const life = answersFor(
      `const N = 2;\n${realize("for (let i = 0; i < N; i++) mark(1); mark(2); while (cond()) mark(3); mark(4);")}`,
    );
    expect(life.order(1, 2)).toBe("after");
    expect(life.order(3, 4)).toBe("maybe-before");
  });

  test("what other code calls runs any number of times", () => {
    const life = answersFor(
      dut(`
        get level(): number { mark(1); return 0; }
        override reset(): void { mark(2); }
        remap(): void { mark(3); }
        protected override hooked(): void { mark(4); }
        protected own(): void { mark(5); }
      `),
    );
    for (const mark of [1, 2, 3, 4]) expect(life.times(mark)).toBe("many");
    expect(life.times(5)).toBe("never");
  });

  test("callbacks run at once, later, or either", () => {
    const life = answersFor(
      realize(`
        [1, 2].forEach(() => { mark(1); });
        mark(2);
        this.later(() => { mark(3); });
        this.transaction(() => { mark(4); });
        mark(5);
        outside(() => { mark(6); });
        mark(7);
        const inner = () => { mark(8); };
        inner();
        (() => { mark(9); })();
      `),
    );
    expect(life.times(1)).toBe("many");
    expect(life.order(1, 2)).toBe("maybe-before");
    expect(life.order(3, 5)).toBe("before");
    expect(life.order(2, 3)).toBe("after");
    expect(life.times(4)).toBe("once");
    expect(life.order(4, 5)).toBe("after");
    expect(life.order(6, 7)).toBe("maybe-before");
    expect(life.order(7, 6)).toBe("maybe-before");
    expect(life.times(8)).toBe("once");
    expect(life.times(9)).toBe("once");
  });

  test("a generator that a loop or a spread runs does not go on later", () => {
    const life = answersFor(
      realize(
        "for (const each of this.steps()) { void each; mark(1); } mark(2); void [...this.more()]; mark(3);",
        `private *steps(): Generator<number> { mark(4); yield 1; mark(5); }
         private *more(): Generator<number> { mark(6); yield 1; }`,
      ),
    );
    expect(life.times(4)).toBe("once");
    expect(life.order(4, 1)).toBe("after");
    expect(life.order(5, 1)).toBe("maybe-before");
    expect(life.order(5, 2)).toBe("maybe-before");
    expect(life.times(6)).toBe("once");
    expect(life.order(6, 3)).toBe("after");
  });

  test("generators and async functions may go on later", () => {
    const life = answersFor(
      realize(
        "const steps = this.steps(); mark(1); for (const each of steps) void each; void this.wait(); mark(4);",
        `private *steps(): Generator<number> { mark(2); yield 1; }
         private async wait(): Promise<void> { mark(3); await null; mark(5); }`,
      ),
    );
    expect(life.order(2, 1)).toBe("maybe-before");
    expect(life.order(3, 4)).toBe("after");
    expect(life.order(5, 4)).toBe("maybe-before");
    expect(life.order(4, 5)).toBe("maybe-before");
  });
});

describe("what runs without being called by name", () => {
  /** Whether the getter or method with `mark(1)` may run before `mark(2)`, which follows these statements in realize. */
  const isBefore = (body: string, members = "", before = "") => {
    const life = answersFor(
      dut(`protected override realize(): void { ${body} mark(2); }\n${members}`, before),
    );
    return life.order(1, 2) !== "before";
  };

  const getter = "private get value(): number { mark(1); return 0; }";
  test.each([
    "const { value } = this;",
    "const { value = 3 } = this as unknown as { value?: number };",
    "const { value: other } = this;",
    "const [{ value }] = [this];",
    "for (const { value } of [this]) void value;",
    "let value: number; ({ value } = this);",
    "(({ value }: { value: number }) => void value)(this);",
    'void this["value"];',
    'const key = "value"; void this[key]; const { [key]: other } = this;',
    "void this.value; this.other = 1;",
  ])("a getter: %s", (body) => {
    expect(isBefore(body, getter)).toBe(true);
    expect(isBefore("void this.other;", `other = 1; ${getter}`)).toBe(false);
  });

  test.each(["this.level += 3;", "this.level++;", "--this.level;", "this.level ||= 1;"])(
    "both: %s",
    (body) => {
      const set = "set level(value: number) { void value; }";
      expect(isBefore(body, `get level(): number { mark(1); return 0; } ${set}`)).toBe(true);
      expect(isBefore(body, "get level(): number { return 0; } set level(v: number) { mark(1); }")).toBe(
        true,
      );
      expect(isBefore("this.level = 3;", `get level(): number { mark(1); return 0; } ${set}`)).toBe(false);
    },
  );

  const view = "private view() { return { get size(): number { mark(1); return 0; } }; }";
  test.each([
    "void this.view().size;",
    "const { size } = this.view();",
    "const { ...all } = this.view();",
    "const all = { ...this.view() };",
    "Object.assign({}, this.view());",
    "JSON.stringify([this.view()]);",
    "JSON.stringify(this.kept);",
    "void this.kept.size;",
  ])("a getter of an object literal: %s", (body) => {
    const members = `private readonly kept = this.view(); ${view}`;
    expect(isBefore(body, members)).toBe(true);
    expect(isBefore("const all = this.view(); const { kept } = this;", members)).toBe(false);
  });

  const shown = "override toString(): string { mark(1); return ''; }";
  test.each([
    ["const hooks: { act?: () => void } = {}; hooks.act = () => { mark(1); }; hooks.act();", ""],
    ["const list: (() => void)[] = []; list[0] = () => { mark(1); }; list[0]!();", ""],
    ["this.child.act = () => { mark(1); }; this.child.go();", "private readonly child = new Child();"],
    ["const box: { it?: { size: number } } = {}; box.it = this.view(); void box.it.size;", view],
    ["const list: { size: number }[] = []; list[0] = this.view(); void list[0].size;", view],
    ["const list: { size: number }[] = []; list.push(this.view()); void list[0]!.size;", view],
    [
      "const box = new Map<number, { size: number }>(); box.set(1, this.view()); void box.get(1)!.size;",
      view,
    ],
    ["Dut.kept = this.view(); void Dut.kept.size;", `static kept: { size: number } | undefined; ${view}`],
    ["Dut.kept = this; void Dut.kept.value;", `static kept: Dut | undefined; ${getter}`],
    [`Dut.kept = this; void \`\${Dut.kept}\`;`, `static kept: Dut | undefined; ${shown}`],
    ["const all: unknown[] = []; all[0] = this; void all.join();", shown],
    [`const box = { all: [0 as unknown] }; box.all = [this]; void \`\${box.all}\`;`, shown],
  ])("what is stored where it is not found again: %s", (body, members) => {
    const child = "class Child { act: () => void = () => {}; go(): void { this.act(); } }";
    expect(isBefore(body, members, child)).toBe(true);
  });

  test("what is stored there does not run before", () => {
    const hooks = "const hooks: { act?: () => void } = {};";
    expect(isBefore("hooks.act = () => { mark(1); };", "", hooks)).toBe(false);
    expect(isBefore("hooks.act!(); hooks.act = () => { mark(1); };", "", hooks)).toBe(false);
  });

  const text = "override toString(): string { mark(1); return ''; }";
  test.each([
    `void \`\${this}\`;`,
    `void \`\${[this]}\`;`,
    "void [this].join();",
    "void [[this]].toString();",
    "[this, this].sort();",
    "void String([this]);",
    "void ({} as Record<string, number>)[this as unknown as string];",
    "void { [this as unknown as string]: 1 };",
    "void ((this as unknown as string) in {});",
    "let all = ''; all += this;",
    `void \`\${this.list}\`;`,
    "void this.list.join();",
    "const list: unknown[] = []; list.push(this);",
  ])("the text of an object: %s", (body) => {
    const members = `private readonly list: unknown[] = []; keep(): void { this.list.push(this); } ${text}`;
    expect(isBefore(body, members)).toBe(true);
  });

  test.each([
    "const list = [this];",
    "this.list.push(this);",
    "void this.list.includes(this);",
    "void [this].length;",
    "void (this === this.list[0]);",
    "void new WeakMap([[this, 1]]).has(this);",
    "for (const each of [this]) void each;",
    `void tagged\`\${this}\`;`,
  ])("no text is made: %s", (body) => {
    const tagged = "function tagged(..._: unknown[]): void {}";
    expect(isBefore(body, `private readonly list: unknown[] = []; ${text}`, tagged)).toBe(false);
  });

  test.each(["JSON.stringify({ dev: this });", "JSON.stringify([[this]]);", "JSON.stringify(this);"])(
    "toJSON: %s",
    (body) => {
      expect(isBefore(body, "toJSON(): unknown { mark(1); return 0; }")).toBe(true);
      expect(isBefore(`void \`\${this}\`;`, "toJSON(): unknown { mark(1); return 0; }")).toBe(false);
    },
  );

  test.each([
    "for (const each of this) void each;",
    "void [...this];",
    "const [first] = this;",
    "void Array.from(this);",
    "void new Set(this);",
    "void new Map(this as never);",
    "void Math.max(...this);",
    "let first: number; [first] = this;",
  ])("an iterator: %s", (body) => {
    const own = "*[Symbol.iterator](): Generator<number> { mark(1); yield 1; }";
    expect(isBefore(body, own)).toBe(true);
    const byHand =
      "[Symbol.iterator]() { return { next: () => { mark(1); return { done: true, value: 0 }; } }; }";
    expect(isBefore(body, byHand)).toBe(true);
    expect(isBefore("void [this];", own)).toBe(false);
  });

  test("other symbols, computed names and tags", () => {
    const matcher = "private readonly matcher = { [Symbol.hasInstance]: () => { mark(1); return true; } };";
    expect(isBefore("void ({} instanceof (this.matcher as never));", matcher)).toBe(true);
    const inspected = "const custom = Symbol.for('inspect');";
    expect(isBefore("outside([this]);", "[custom](): string { mark(1); return ''; }", inspected)).toBe(true);
    expect(isBefore("this.tag`text`;", "private tag(_: unknown): void { mark(1); }")).toBe(true);
    expect(isBefore("class Inner { static { mark(1); } }", "")).toBe(true);
  });

  test("what `using` declares is disposed of at the end of its block, however it is left", () => {
    const guard = "private guard() { return { [Symbol.dispose]: () => { mark(1); } }; }";
    const life = answersFor(
      realize("{ using held = this.guard(); void held; mark(2); if (cond()) return; } mark(3);", guard),
    );
    expect(life.order(1, 2)).toBe("before");
    expect(life.order(1, 3)).toBe("maybe-before");
    expect(life.order(2, 1)).toBe("after");
  });

  test("listeners run when an event is raised", () => {
    const target =
      "interface Target { addEventListener(name: string, act: () => void): void; dispatchEvent(event: unknown): void; } declare const target: Target;";
    const listen = 'target.addEventListener("x", () => { mark(1); });';
    expect(isBefore(`${listen} target.dispatchEvent({});`, "", target)).toBe(true);
    expect(isBefore(`target.dispatchEvent({}); ${listen}`, "", target)).toBe(false);
  });

  test("members of classes in files that are imported", () => {
    const watcher = `export class Watcher {
      constructor(private readonly read: () => void) {}
      get current(): number { this.read(); return 0; }
      toString(): string { this.read(); return ""; }
    }`;
    for (const body of [
      "void this.watcher.current;",
      `void \`\${this.watcher}\`;`,
      "const { current } = this.watcher;",
    ]) {
      const life = answersFor(
        dut(
          `private readonly watcher = new Watcher(() => { mark(1); });
           protected override realize(): void { ${body} mark(2); }`,
          'import { Watcher } from "/watcher.ts";',
        ),
        {},
        { "watcher.ts": watcher },
      );
      expect(life.order(1, 2)).not.toBe("before");
    }
  });

  test("code that is not at hand calls what it finds in what it is given", () => {
    for (const given of ["this", "[this]", "{ dev: this }", "{ inner: [{ dev: this }] }"])
      expect(isBefore(`outside(${given});`, "poke(): void { mark(1); }")).toBe(true);
  });
});

describe("paths", () => {
  test("exceptions are edges inside try", () => {
    const life = answersFor(
      realize(
        `
        try { mark(1); this.risky(); mark(2); } catch { mark(3); } finally { mark(4); }
        mark(5);
      `,
        "private risky(): void { if (cond()) throw new Error(); }",
      ),
    );
    expect(life.order(1, 3)).toBe("maybe-before");
    expect(life.order(2, 3)).toBe("before");
    expect(life.order(2, 5)).toBe("maybe-before");
    expect(life.times(4)).toBe("once");
  });

  test("early returns and throws", () => {
    const life = answersFor(
      realize(
        "if (cond()) return; if (cond()) throw new Error(); mark(1);",
        "override reset(): void { mark(2); }",
      ),
    );
    expect(life.times(1)).toBe("at-most-once");
    expect(life.order(1, 2)).toBe("maybe-before");
    const thrown = answersFor(
      realize("if (cond()) throw new Error(); mark(1);", "override reset(): void { mark(2); }"),
    );
    expect(thrown.order(1, 2)).toBe("after");
  });

  test("switch falls through, with the default anywhere", () => {
    const life = answersFor(
      realize("switch (1 + Math.random()) { default: mark(1); case 1: mark(2); } mark(3);"),
    );
    expect(life.times(1)).toBe("at-most-once");
    expect(life.times(2)).toBe("once");
    const broken = answersFor(
      realize("switch (1 + Math.random()) { case 2: mark(1); break; default: mark(2); } mark(3);"),
    );
    expect(broken.times(1)).toBe("at-most-once");
    expect(broken.times(2)).toBe("at-most-once");
  });

  test("labels, continue and optional chains", () => {
    const life = answersFor(
      dut(`
        peer: Dut | null = null;
        kind = "a";
        protected override realize(): void {
          outer: for (;;) { for (;;) { mark(1); if (cond()) continue outer; break outer; } }
          here: { if (cond()) break here; mark(2); }
          this.peer?.poke(mark(3));
          this.kind?.at(Number(mark(4)));
        }
        poke(_v: unknown): void {}
      `),
    );
    expect(life.times(1)).toBe("many");
    expect(life.times(2)).toBe("at-most-once");
    expect(life.times(3)).toBe("at-most-once");
    expect(life.times(4)).toBe("once");
  });
});

describe("classes", () => {
  test("base and derived hooks, super, and template methods", () => {
    const life = answersFor(
      dut(
        `protected override instanceInit(): void { mark(1); }
         protected override realize(): void { mark(2); super.realize(); mark(3); }
         protected make(): void { mark(4); }`,
        `abstract class Base extends Device {
           protected override instanceInit(): void { mark(5); }
           protected abstract make(): void;
           protected override realize(): void { mark(6); this.make(); }
           protected override instanceFinalize(): void { mark(7); }
         }`,
      ).replace("Dut extends Device", "Dut extends Base"),
    );
    expect(life.order(5, 1)).toBe("after");
    expect(life.order(2, 6)).toBe("after");
    expect(life.order(6, 4)).toBe("after");
    expect(life.order(4, 3)).toBe("after");
    expect(life.times(4)).toBe("once");
    expect(life.times(7)).toBe("once");
  });

  test("setters and options run before realize", () => {
    const life = answersFor(
      dut(`
        static readonly properties = [{ name: "size", set: (device: Dut, value: unknown) => { mark(1); void device; void value; } }];
        set size(value: number) { mark(2); void value; }
        protected override realize(): void { mark(3); }
      `),
    );
    expect(life.order(3, 1)).toBe("maybe-before");
    expect(life.order(3, 2)).toBe("maybe-before");
    expect(life.times(2)).toBe("many");
  });

  test("free functions, other classes and other files are followed with their arguments", () => {
    const life = answersFor(
      dut(
        `private readonly state = new State(() => { mark(1); });
         protected override realize(): void {
           this.state.go(); mark(2); setUp(this); mark(3); register(this.tick); mark(6);
         }
         finish(): void { mark(4); }
         private readonly tick = () => { mark(5); };`,
        `import { setUp } from "/other.ts";
         class State { private readonly act: () => void; constructor(act: () => void) { this.act = act; } go(): void { this.act(); } }
         function register(act: () => void): void { act(); }`,
      ),
      { "other.ts": "export function setUp(device: { finish(): void }): void { device.finish(); }" },
    );
    expect(life.times(1)).toBe("once");
    expect(life.order(1, 2)).toBe("after");
    expect(life.order(4, 3)).toBe("after");
    expect(life.order(5, 6)).toBe("after");
  });

  test("what cannot be followed is named", () => {
    const life = answersFor(
      realize(
        "const name = String(Math.random()); (this as unknown as Record<string, () => void>)[name]!(); mark(1); outside(this); mark(3);",
        "override reset(): void { mark(2); }",
      ),
    );
    expect(life.order(2, 1)).toBe("maybe-before");
    expect(life.queries.unknowns.map(({ why }) => why)).toEqual([
      "the method that is called is computed",
      "the object is passed to code that is not at hand",
    ]);
  });

  test("recursion ends, and counts as many", () => {
    const life = answersFor(
      realize("this.again(); mark(2);", "private again(): void { mark(1); if (cond()) this.again(); }"),
    );
    expect(life.times(1)).toBe("many");
    expect(life.order(1, 2)).toBe("after");
  });
});
