/**
 * Generates small devices, and really runs them. In the text, `mark(n)` is an event and `cond()` a decision; the driver
 * below plays the object model and the machine, and decides at random.
 */
import fc from "fast-check";
import { ts } from "ts-morph";

interface Generated {
  readonly text: string;
  readonly marks: number;
}

/** Accesses to the getter `value` and the setter `level` that do not read `this.value` or write `this.level = …`. */
const accesses: readonly Statement[] = [
  "{ const { value } = this; void value; }",
  "{ const { value: other = 1 } = this as unknown as { value?: number }; void other; }",
  "{ const [{ value }] = [this]; void value; }",
  "(({ value }: { value: number }) => void value)(this);",
  "({ value: this.level } = this);",
  "this.level += this.value;",
  "this.level++;",
  'void this["value"];',
];

/** Ways to have the language run a body that no call names. The first line makes the object `it`, the second uses it. */
const implied: readonly (readonly [make: (body: string) => string, uses: readonly string[]])[] = [
  [
    (body) => `const it = { get size(): number { ${body} return 0; } };`,
    [
      "void it.size;",
      "const { size } = it; void size;",
      "for (const { size } of [it]) void size;",
      "void { ...it };",
      "void Object.assign({}, it);",
      "void JSON.stringify([it]);",
    ],
  ],
  [
    (body) => `const it = { set size(_: number) { ${body} } };`,
    ["it.size = 1;", "[it.size] = [1];", "Object.assign(it, { size: 1 });"],
  ],
  [
    (body) => `const it: any = { toString: () => { ${body} return "text"; } };`,
    [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: text of the generated class
      "void `${it}`;",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: text of the generated class
      "void `${[it]}`;",
      "void [it].join();",
      "void [it, it].sort();",
      "void String(it);",
      "void ({} as any)[it];",
      "void { [it]: 1 };",
      "void (it in {});",
      'let text = ""; text += it;',
    ],
  ],
  [(body) => `const it = { toJSON: () => { ${body} } };`, ["void JSON.stringify({ it });"]],
  [
    (body) => `const it: any = { *[Symbol.iterator](): Generator<number> { ${body} yield 1; } };`,
    [
      "for (const each of it) void each;",
      "void [...it];",
      "const [first] = it; void first;",
      "void Array.from(it);",
      "void new Set(it);",
      "outside(() => {}, ...it);",
    ],
  ],
  [
    (body) =>
      `const it: any = { [Symbol.iterator]: () => ({ next: () => { ${body} return { done: true }; } }) };`,
    ["for (const each of it) void each;", "void [...it];", "const [first] = it; void first;"],
  ],
  [
    (body) => `const it: any = { [Symbol.hasInstance]: () => { ${body} return true; } };`,
    ["void ({} instanceof it);"],
  ],
  [(body) => `const it = () => { ${body} };`, ["it`text`;"]],
  [(body) => `const it = { [Symbol.dispose]: () => { ${body} } };`, ["using used = it; void used; mark(#);"]],
];
const impliedCalls = implied.flatMap(([make, uses]) => uses.map((use) => ({ make, use })));

/** A statement; numbers of marks are filled in when all is put together. */
type Statement = string;
const MARK = "mark(#);";
const HELPERS = 4;

const statement = fc.letrec<{ one: Statement; block: Statement }>((tie) => ({
  block: fc.array(tie("one"), { maxLength: 3 }).map((list) => list.join(" ")),
  one: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    fc.constant(MARK),
    fc.constant(MARK),
    fc.constantFrom(
      "return;",
      'throw new Error("thrown");',
      "if (cond()) return;",
      'if (cond()) throw new Error("thrown");',
    ),
    fc.integer({ min: 0, max: HELPERS - 1 }).map((number) => `this.helper${number}();`),
    fc.constantFrom(
      "void this.value;",
      "this.level = 1;",
      "if (cond()) this.open();",
      "void (cond() ? mark(#) : 0);",
      "void this.wait().catch(() => {});",
      ...accesses,
    ),
    fc
      .tuple(fc.constantFrom(...impliedCalls), tie("block"))
      .map(([{ make, use }, body]) => `{ ${make(body.replaceAll("this", "self"))} ${use} }`),
    fc
      .tuple(tie("block"), tie("block"))
      .map(([yes, no]) => `if (cond() && !cond()) { ${yes} } else { ${no} }`),
    tie("block").map((body) => `while (cond()) { ${body} }`),
    tie("block").map(
      (body) => `for (let i = 0; i < 2; i++) { ${body} if (cond()) continue; if (cond()) break; }`,
    ),
    tie("block").map((body) => `for (const each of [1, 2]) { void each; ${body} }`),
    tie("block").map((body) => `do { ${body} } while (cond());`),
    fc
      .tuple(tie("block"), tie("block"), tie("block"))
      .map(([body, caught, last]) => `try { ${body} } catch { ${caught} } finally { ${last} }`),
    fc.tuple(tie("block"), tie("block")).map(([body, last]) => `try { ${body} } finally { ${last} }`),
    fc
      .tuple(tie("block"), tie("block"), tie("block"))
      .map(([a, b, c]) => `switch (pick()) { case 0: ${a} default: ${b} break; case 1: ${c} }`),
    tie("block").map((body) => `[1, 2].forEach(() => { ${body} });`),
    tie("block").map((body) => `this.later(() => { ${body} });`),
    tie("block").map((body) => `this.transaction(() => { ${body} });`),
    tie("block").map((body) => `outside(() => { ${body} });`),
    tie("block").map((body) => `{ const local = () => { ${body} }; if (cond()) local(); }`),
    tie("block").map((body) => `this.act = () => { ${body} }; this.act();`),
    tie("block").map((body) => `run(() => { ${body} });`),
    tie("block").map(
      (body) =>
        `{ const steps = (function* (): Generator<number> { ${body.replaceAll("this", "self")} yield 1; })(); if (cond()) for (const each of steps) void each; }`,
    ),
  ),
})).block;

/** Classes `Base` and `Dut` with hooks, helpers that call later helpers only, a getter, a setter and open methods. */
export const programs: fc.Arbitrary<Generated> = fc
  .record({
    hooks: fc.record({
      baseInit: statement,
      init: statement,
      baseRealize: statement,
      before: statement,
      after: statement,
      unrealize: statement,
      finalize: statement,
    }),
    helpers: fc.array(statement, { minLength: HELPERS, maxLength: HELPERS }),
    getter: statement,
    wait: fc.tuple(statement, statement),
    setter: statement,
    open: statement,
    reset: statement,
  })
  .map(({ hooks, helpers, getter, wait, setter, open, reset }) => {
    const self = "const self = this; void self;";
    const guarded = (body: string) => `${self} ${body}`;
    const text = `
function run(act: () => void): void { act(); }
function pick(): number { return Math.floor(Math.random() * 3); }
abstract class Base extends Device {
  private act: () => void = () => { ${MARK} };
  protected override instanceInit(): void { ${guarded(hooks.baseInit)} }
  protected override realize(): void { ${guarded(hooks.baseRealize)} }
${helpers.map((body, number) => `  protected helper${number}(): void { ${self} ${later(body, number)} }`).join("\n")}
  protected get value(): number { ${self} ${noCalls(getter)} return 0; }
  protected open(): void {}
  protected async wait(): Promise<void> { ${self} ${noCalls(wait[0])} await null; ${noCalls(wait[1])} }
}
export class Dut extends Base {
  first = mark(#);
  protected override instanceInit(): void { ${guarded(hooks.init)} }
  protected override realize(): void { ${self} ${hooks.before} super.realize(); ${hooks.after} }
  protected override unrealize(): void { ${guarded(hooks.unrealize)} }
  protected override instanceFinalize(): void { ${guarded(hooks.finalize)} }
  set level(value: number) { void value; ${self} ${noCalls(setter)} }
  override open(): void { ${self} ${noCalls(open)} }
  override reset(): void { ${guarded(reset)} }
}
`.replaceAll("private act", "protected act");
    let marks = 0;
    return { text: text.replaceAll("mark(#)", () => `mark(${marks++})`), marks };
  });

/** Without calls that would make helpers, accessors and open methods call each other for ever. */
function noCalls(body: string): string {
  const without = accesses.reduce(
    (text, each) => text.replaceAll(each, "").replaceAll(each.replaceAll("this", "self"), ""),
    body,
  );
  return without.replace(
    /(?:this|self)\.helper\d\(\);|void (?:this|self)\.value;|(?:this|self)\.level = 1;|if \(cond\(\)\) (?:this|self)\.open\(\);|void (?:this|self)\.wait\(\)\.catch\(\(\) => \{\}\);/g,
    "",
  );
}

function later(body: string, number: number): string {
  return body.replace(/(?:this|self)\.helper(\d)\(\);/g, (call, other) =>
    Number(other) > number ? call : "",
  );
}

export interface Execution {
  /** How often each mark ran. */
  readonly counts: readonly number[];
  /** For each mark, whether each other mark had run when it was reached. */
  readonly arrivals: readonly (readonly Set<boolean>[])[];
  /** False if a hook threw, so that the life ended early. */
  readonly ended: boolean;
}

/** A text as JavaScript. */
export function compiled(text: string): string {
  const script = ts.transpile(`${text}\nreturn Dut;`, { target: ts.ScriptTarget.ES2022 });
  return script.replaceAll(/^export /gm, "");
}

/** Runs one life of a compiled text with the decisions that follow from `seed`. */
export async function execute(script: string, marks: number, seed: number): Promise<Execution> {
  const counts = new Array<number>(marks).fill(0);
  const arrivals = Array.from({ length: marks }, () =>
    Array.from({ length: marks }, () => new Set<boolean>()),
  );
  let state = seed >>> 0 || 1;
  let budget = 400;
  let over = false;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const decide = (): boolean => budget-- > 0 && random() < 0.5;
  const callbacks: (() => void)[] = [];
  const world = {
    mark(number: number): void {
      if (over) return;
      for (let other = 0; other < marks; other++) arrivals[number]?.[other]?.add((counts[other] ?? 0) > 0);
      counts[number] = (counts[number] ?? 0) + 1;
    },
    cond: decide,
    Math: { floor: Math.floor, random },
    outside(act: () => void): void {
      while (decide()) act();
      callbacks.push(act);
    },
    Device: class {
      later(act: () => void): void {
        callbacks.push(act);
      }
      transaction(act: () => void): void {
        act();
      }
      reset(): void {}
    },
  };
  const make = new Function(...Object.keys(world), script);
  const Dut = make(...Object.values(world)) as new () => Record<string, () => void>; // what the text declares
  const ended = await live(Dut, callbacks, decide, () => {
    over = true; // what is still suspended then never runs, as far as the marks say
  });
  return { counts, arrivals, ended };
}

/** The object model and the machine. */
async function live(
  Dut: new () => Record<string, () => void>,
  callbacks: readonly (() => void)[],
  decide: () => boolean,
  end: () => void,
): Promise<boolean> {
  const chain: object[] = [];
  let device: Record<string, () => void>;
  try {
    device = new Dut();
    for (let each: object | null = Dut.prototype; each !== null; each = Object.getPrototypeOf(each))
      chain.push(each);
    for (const each of [...chain].reverse()) own(each, "instanceInit")?.call(device);
  } catch {
    end();
    return false;
  }
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch {
      // An exception ends only the call that it leaves.
    }
  };
  while (decide()) attempt(() => Reflect.set(device, "level", 1));
  let ended = true;
  try {
    await rest(decide);
    device.realize?.();
    const entries = ["reset", "open", "level"];
    while (decide()) {
      await rest(decide);
      for (const name of entries)
        if (decide()) attempt(() => (name === "level" ? Reflect.set(device, "level", 1) : device[name]?.()));
      for (const callback of [...callbacks]) if (decide()) attempt(callback);
    }
    await rest(decide);
    device.unrealize?.();
  } catch {
    ended = false;
  }
  try {
    for (const each of chain) own(each, "instanceFinalize")?.call(device);
  } catch {
    ended = false;
  }
  end();
  return ended;
}

/** Lets some of the asynchronous functions go on. */
async function rest(decide: () => boolean): Promise<void> {
  while (decide()) await null;
}

function own(prototype: object, name: string): (() => void) | undefined {
  return Object.getOwnPropertyDescriptor(prototype, name)?.value;
}
