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
