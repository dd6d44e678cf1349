/** Runs functions abstractly: calls, closures, loops to a fixed point. Expressions and statements stand beside it. */
import { ts } from "ts-morph";
import { CallbackTime, type Callee, Callees } from "./callees.ts";
import type { Entry } from "./entries.ts";
import type { Analysis, FlowEvent, LifePhase, Unknown } from "./events.ts";
import { type Exits, newExits } from "./exits.ts";
import { type Binding, type Frame, holdsDevice, type Source } from "./frames.ts";
import { handedOver, holdsDeviceInside } from "./implied.ts";
import type { ClassShape, FlowProgram } from "./program.ts";
import { accessOf, hasAwait, isAsync, isGenerator, nameOf, type Runnable, strip } from "./syntax.ts";

/** One call may stand on the stack this often, and one function, by way of several calls; what goes beyond is unknown. */
const SAME_CALL = 2;
const SAME_FUNCTION = 4;
/** Calls followed in one walk at most, by length of the class, and how deep; what lies beyond is unknown. */
const CALLS = 30_000;
const CALLS_PER_MEMBER = 60;
const DEPTH = 60;
/** Rounds of a loop at most; finite lattices end long before. */
const ROUNDS = 60;

/** Methods of the framework that realize the device: what comes after a call of them runs in the realized device. */
const realizes: ReadonlySet<string> = new Set(["plug", "plugIntoSystemBus"]);

/** Methods of a line that run its handler before they return. */
const drivesLine: ReadonlySet<string> = new Set(["set", "raise", "lower", "pulse"]);

/** How expressions and statements are walked; given to the walker, because they need it in turn. */
export interface Steps {
  evaluate<State>(walker: Walker<State>, node: ts.Expression, state: State, frame: Frame): State | undefined;
  execute<State>(walker: Walker<State>, node: ts.Statement, state: State, frame: Frame): State | undefined;
  takeApart<State>(
    walker: Walker<State>,
    pattern: ts.BindingPattern,
    sources: readonly Source[],
    state: State,
    frame: Frame,
  ): State | undefined;
}

export class Walker<State> {
  readonly analysis: Analysis<State>;
  readonly program: FlowProgram;
  readonly callees: Callees;
  readonly unknowns: Unknown[] = [];
  /** Functions of which some call was not followed, because the calls were too deep. */
  readonly truncated = new Set<ts.Node>();
  /** Closures that outside code may call from now on. */
  readonly registered: Entry[] = [];
  /** Those of them that calls of other code may run, with the file that declares what they were given to. */
  private readonly listeners: { readonly entry: Entry; readonly file: ts.SourceFile | undefined }[] = [];
  /** Those of them that were passed to outside code: it may call them before the device is realized. */
  readonly handed: Entry[] = [];
  /** True while `this.realized` is certainly false. */
  unrealized = false;
  exits: Exits<State> = newExits();
  /** Number of `try` blocks around; without one, exceptions of calls are not tracked. */
  catching = 0;
  /** States in which the optional chain under way was cut short. */
  cut: State | undefined;
  private callingBack = false;
  readonly steps: Steps;
  private calls = 0;
  private readonly mostCalls: number;
  /** Entries of the class, which code that is not known may call. */
  private readonly entries: readonly Entry[];

  constructor(
    program: FlowProgram,
    shape: ClassShape,
    analysis: Analysis<State>,
    entries: readonly Entry[],
    steps: Steps,
  ) {
    this.program = program;
    this.analysis = analysis;
    this.callees = new Callees(program, shape);
    this.entries = entries;
    this.steps = steps;
    const members = shape.chain.reduce((sum, each) => sum + each.members.length, 0);
    this.mostCalls = CALLS + members * CALLS_PER_MEMBER;
  }

  get top(): Frame {
    return this.callees.top;
  }

  emit(event: FlowEvent, state: State): State {
    return this.analysis.transfer(event, state);
  }

  done(node: ts.Node, state: State, frame: Frame, followed = false): State {
    return this.analysis.transfer({ kind: "evaluated", node, frame, followed }, state);
  }

  phase(phase: LifePhase, state: State | undefined): State | undefined {
    return state === undefined ? undefined : this.emit({ kind: "phase", phase }, state);
  }

  join(one: State | undefined, other: State | undefined): State | undefined {
    if (one === undefined) return other;
    return other === undefined || one === other ? one : this.analysis.join(one, other);
  }

  unknown(node: ts.Node, why: string, state: State, frame: Frame): State {
    if (!this.unknowns.some((each) => each.node === node)) this.unknowns.push({ node, why });
    return this.emit({ kind: "unknown", node, why, frame }, state);
  }

  /** A point that may throw. */
  mayThrow(state: State): void {
    if (this.catching > 0) this.exits.thrown = this.join(this.exits.thrown, state);
  }

  /** Repeats `round` until its result, joined with where it started, does not change. */
  repeat(state: State, round: (state: State) => State | undefined): State {
    let current = state;
    for (let count = 0; count < ROUNDS; count++) {
      const next = this.join(current, round(current)) ?? current;
      if (next === current || this.analysis.equal(next, current)) return current;
      current = next;
    }
    return current;
  }

  /** Runs a function's body. The result is undefined if it never returns. */
  run(fn: Runnable, frame: Frame, state: State): State | undefined {
    if (fn.body === undefined || this.analysis.skips?.(fn) === true) return state;
    if (this.isTooDeep(fn, frame)) {
      this.truncated.add(fn);
      return this.unknown(frame.call ?? fn, "the calls are too deep to follow", state, frame);
    }
    const outer = this.exits;
    const inner: Exits<State> = newExits();
    this.exits = inner;
    let current: State | undefined = state;
    for (const parameter of fn.parameters) {
      if (current === undefined) break;
      const binding = frame.bindings.get(parameter);
      if (binding === undefined && parameter.initializer !== undefined)
        current = this.join(current, this.steps.evaluate(this, parameter.initializer, current, frame));
      if (current === undefined || ts.isIdentifier(parameter.name)) continue;
      const sources = binding === undefined ? [] : this.callees.sources.bound(binding);
      current = this.steps.takeApart(this, parameter.name, sources, current, frame);
    }
    if (current !== undefined) {
      current = ts.isBlock(fn.body)
        ? this.steps.execute(this, fn.body, current, frame)
        : this.steps.evaluate(this, fn.body, current, frame);
    }
    this.exits = outer;
    outer.thrown = this.join(outer.thrown, inner.thrown);
    const left = this.join(this.join(current, inner.returned), inner.suspended);
    return isAsync(fn) ? this.join(left, inner.thrown) : left; // its exceptions wait in the promise
  }

  private isTooDeep(fn: Runnable, frame: Frame): boolean {
    if (frame.depth > DEPTH || ++this.calls > this.mostCalls) return true;
    let functions = 0;
    let calls = 0;
    for (let each = frame.caller; each !== undefined; each = each.caller) {
      if (each.fn !== fn) continue;
      functions++;
      if (each.call === frame.call) calls++;
    }
    return functions >= SAME_FUNCTION || calls >= SAME_CALL;
  }

  /** A call whose callee and arguments have been evaluated. */
  call(node: ts.CallExpression, state: State, frame: Frame): State | undefined {
    this.mayThrow(state);
    const callee = this.callees.resolve(node, frame);
    switch (callee.kind) {
      case "followed": {
        // A field may hold another function by now.
        const heard = this.isOfField(node.expression) ? this.heard(node, "", state, frame) : state;
        return heard === undefined ? undefined : this.followedCall(node, callee, heard, frame);
      }
      case "any method": {
        const told = this.unknown(node, "the method that is called is computed", state, frame);
        return this.done(node, this.anyEntry(told), frame);
      }
      case "unknown": {
        const told = this.unknown(node, callee.why, state, frame);
        const called = this.callbacks(node, CallbackTime.Either, told, frame) ?? told;
        const handed = handedOver(this, node, called, frame) ?? called;
        return this.done(node, this.heard(node, "", handed, frame) ?? handed, frame);
      }
      case "outside": {
        if (this.unrealized && realizes.has(callee.name) && this.isOnDevice(node, frame)) return undefined;
        let current: State | undefined = this.callbacks(
          node,
          callee.callbacks,
          this.calledBack(node, callee.name, state, frame),
          frame,
        );
        if (current !== undefined) current = handedOver(this, node, current, frame);
        if (current !== undefined && !callee.framework)
          current = this.heard(node, callee.name, current, frame);
        if (current !== undefined && !callee.framework && callee.callbacks === CallbackTime.Either)
          current = this.handedOut(node, current, frame);
        return current === undefined ? undefined : this.done(node, current, frame);
      }
    }
  }

  /** The state after a call that may run what has been passed to others: an input that is set, an event that is emitted. */
  private calledBack(node: ts.CallExpression, name: string, state: State, frame: Frame): State {
    if (!this.unrealized || this.handed.length === 0 || this.callingBack) return state;
    const object = accessOf(node.expression)?.object;
    const isEmitted = name === "emit" || name === "dispatchEvent";
    if (object === undefined || !(isEmitted || (drivesLine.has(name) && this.isInput(object, frame))))
      return state;
    this.callingBack = true;
    const after = this.repeat(state, (each) => this.enterAll(each, [...this.handed]));
    this.callingBack = false;
    return after;
  }

  /** True for an interrupt input of the object: `this.gpioIn(0)`. */
  private isInput(object: ts.Expression, frame: Frame): boolean {
    const { sources } = this.callees;
    return sources
      .of(object, frame)
      .flatMap((each) => (each.kind === "expression" ? [each] : sources.contents(each)))
      .some(
        (each) =>
          each.kind === "expression" &&
          ts.isCallExpression(each.node) &&
          accessOf(each.node.expression)?.name === "gpioIn",
      );
  }

  /** True for a method that is called on the object whose life is walked. */
  private isOnDevice(node: ts.CallExpression, frame: Frame): boolean {
    const object = accessOf(node.expression)?.object;
    if (object === undefined) return false;
    if (object.kind === ts.SyntaxKind.SuperKeyword) return holdsDevice(frame.self);
    return holdsDevice(this.callees.sources.of(object, frame));
  }

  private followedCall(
    node: ts.CallExpression,
    { bodies, perhaps }: Extract<Callee, { kind: "followed" }>,
    state: State,
    frame: Frame,
  ): State | undefined {
    let after: State | undefined = perhaps ? state : undefined;
    for (const { fn, self, outer } of bodies) {
      const inner = this.callees.frameFor(fn, node, self, outer, frame);
      after = this.join(after, this.invoke(fn, inner, state));
    }
    return after === undefined ? undefined : this.done(node, after, frame, true);
  }

  /** Runs a function of the program; a generator runs at some later time, or now, and so does what follows an `await`. */
  invoke(fn: Runnable, frame: Frame, state: State): State | undefined {
    // What a loop or a spread takes from a generator runs there and then, up to the end or to a `yield` at which it leaves.
    if (isGenerator(fn) && !isAsync(fn) && isConsumed(frame.call)) return this.run(fn, frame, state);
    const isLater = isGenerator(fn);
    if (!isLater && !(isAsync(fn) && hasAwait(fn))) return this.run(fn, frame, state);
    this.register({ fn, self: frame.self, bindings: frame.bindings, outer: frame.outer });
    const left = this.run(fn, frame, state);
    return isLater ? this.join(state, left) : left;
  }

  /** Functions among the arguments of a call that leads outside. */
  callbacks(
    node: ts.CallExpression | ts.NewExpression,
    time: CallbackTime,
    state: State,
    frame: Frame,
  ): State | undefined {
    let current: State | undefined = state;
    const args = node.arguments ?? [];
    for (const [index, arg] of args.entries()) {
      if (current === undefined) break;
      if (ts.isSpreadElement(arg)) continue;
      for (const entry of this.functionsIn(arg, args[index + 1], frame)) {
        if (current === undefined) break;
        current = this.callback(entry, node, time, current, frame);
      }
    }
    return current;
  }

  private callback(
    entry: Entry,
    node: ts.CallExpression | ts.NewExpression,
    time: CallbackTime,
    state: State,
    frame: Frame,
  ): State | undefined {
    if (time === CallbackTime.Later || time === CallbackTime.Either) {
      this.register(entry);
      // A region's own callbacks run when the guest reaches it.
      if (!isOfRegion(this.program, node)) addEntry(this.handed, entry);
    }
    if (time === CallbackTime.Later) {
      if (listening.test(accessOf(node.expression)?.name ?? "")) this.listen(entry, node.expression);
      return state;
    }
    const given = time === CallbackTime.Many ? withElements(entry, node, frame) : entry;
    if (time === CallbackTime.Once) return this.enter(given, state, frame);
    return this.repeat(state, (each) => this.enter(given, each, frame));
  }

  /** A call that may have what listens run: one that raises an event, or another of the same code. */
  private heard(node: ts.CallExpression, name: string, state: State, frame: Frame): State | undefined {
    if (this.listeners.length === 0 || listening.test(name) || unlistening.test(name)) return state;
    const file = this.fileOf(node.expression);
    const isLibrary = file?.hasNoDefaultLib === true;
    const heard = this.listeners.filter((each) => raising.test(name) || (!isLibrary && each.file === file));
    if (heard.length === 0) return state;
    return this.repeat(state, (each) =>
      heard.reduce(
        (current, { entry }) => this.join(current, this.enter(entry, current, frame)) ?? current,
        each,
      ),
    );
  }

  /** A function has been given to `target`, a method or a member of something that is not followed. */
  listen(entry: Entry, target: ts.Expression): void {
    const file = this.fileOf(target);
    if (!this.listeners.some((each) => each.entry.fn === entry.fn && each.file === file))
      this.listeners.push({ entry, file });
  }

  private isOfField(callee: ts.Expression): boolean {
    if (this.listeners.length === 0) return false;
    const declared = this.declarationOf(callee);
    return declared === undefined || ts.isPropertyDeclaration(declared) || ts.isPropertyAssignment(declared);
  }

  /** The file that declares a member; undefined for an element. */
  private fileOf(member: ts.Expression): ts.SourceFile | undefined {
    return this.declarationOf(member)?.getSourceFile();
  }

  private declarationOf(member: ts.Expression): ts.Declaration | undefined {
    const bare = strip(member);
    return this.program.declarationOf(ts.isPropertyAccessExpression(bare) ? bare.name : bare);
  }

  /** The functions that an argument is, or that the object that it is holds; `next` is the argument after it. */
  private functionsIn(arg: ts.Expression, next: ts.Expression | undefined, frame: Frame): Entry[] {
    const entries: Entry[] = [];
    for (const source of this.callees.sources.of(arg, frame)) {
      if (source.kind !== "expression") continue;
      if (ts.isObjectLiteralExpression(source.node)) {
        for (const property of source.node.properties) {
          const name = nameOf(property.name);
          if (name === undefined) continue;
          const held = this.callees.sources.property(source, name, property, source.frame);
          for (const each of held)
            for (const { fn, frame: outer, self } of this.callees.sources.functionIn(each))
              entries.push({ fn, self, outer, bindings: opaqueOf(fn, next, frame) });
        }
        continue;
      }
      for (const { fn, frame: outer, self } of this.callees.sources.functionIn(source))
        entries.push({ fn, self, outer, bindings: new Map() });
    }
    return entries;
  }

  /** A value that is stored in another object: functions in it may be called before the device is realized. */
  handOver(value: ts.Expression, frame: Frame): void {
    for (const entry of this.functionsIn(value, undefined, frame)) addEntry(this.handed, entry);
  }

  /** Code that is not known and is given the device may call everything that it can name. */
  handedOut(node: ts.CallExpression | ts.NewExpression, state: State, frame: Frame): State {
    const given = (node.arguments ?? []).some(
      (arg) => !ts.isSpreadElement(arg) && holdsDeviceInside(this, arg, frame),
    );
    if (!given) return state;
    return this.anyEntry(
      this.unknown(node, "the object is passed to code that is not at hand", state, frame),
    );
  }

  private anyEntry(state: State): State {
    return this.repeat(state, (each) => this.enterAll(each, this.entries));
  }

  register(entry: Entry): void {
    addEntry(this.registered, entry);
  }

  /** Calls an entry once. */
  enter(entry: Entry, state: State, caller: Frame = this.top): State | undefined {
    const { fn, self, bindings, outer } = entry;
    return this.run(
      fn,
      { fn, self, bindings, outer, caller, call: undefined, depth: caller.depth + 1 },
      state,
    );
  }

  /** Calls each of the entries once, or none; an exception ends only the call that threw it. */
  enterAll(state: State, entries: readonly Entry[]): State {
    let current = state;
    for (const entry of entries) {
      const outer = this.exits;
      const inner: Exits<State> = newExits();
      this.exits = inner;
      const left = this.enter(entry, current);
      this.exits = outer;
      current = this.join(current, this.join(left, inner.thrown)) ?? current;
    }
    return current;
  }
}

/** Methods that have a function run at an event, that end this, and that raise an event. */
const listening = /^(?:on|once|addEventListener)$/;
const unlistening = /^(?:off|remove\w*|listener\w*)$/;
const raising = /^(?:emit|dispatchEvent|abort)$/;

/** Adds a closure, unless it is there already; one that several calls make may be there a few times. */
function addEntry(list: Entry[], entry: Entry): void {
  const same = list.filter(({ fn }) => fn === entry.fn);
  const bare = same.find(({ bindings, outer }) => bindings.size === 0 && outer?.call === entry.outer?.call);
  if (bare !== undefined && entry.bindings.size > 0) {
    list[list.indexOf(bare)] = entry; // what it is called with is known now
    return;
  }
  if (same.length === 0 || (same.length < 4 && same.every(({ outer }) => outer !== entry.outer)))
    if (!same.some(({ outer }) => outer?.call === entry.outer?.call)) list.push(entry);
}

/** True for a call of a method that a class of regions declares. */
function isOfRegion(program: FlowProgram, node: ts.CallExpression | ts.NewExpression): boolean {
  if (!ts.isPropertyAccessExpression(node.expression)) return false;
  const holder = program.declarationOf(node.expression.name)?.parent;
  return holder !== undefined && ts.isClassLike(holder) && /MemoryRegion$/.test(holder.name?.text ?? "");
}

/** True for `for (const step of this.steps())` and `[...this.steps()]`: nothing else can go on with the generator. */
function isConsumed(call: ts.Node | undefined): boolean {
  if (call === undefined) return false;
  const { parent } = call;
  return ts.isSpreadElement(parent) || (ts.isForOfStatement(parent) && parent.expression === call);
}

/** The first parameter of a callback of the object before `opaque` is that value. */
function opaqueOf(
  fn: Runnable,
  opaque: ts.Expression | undefined,
  frame: Frame,
): Map<ts.ParameterDeclaration, Binding> {
  const [first] = fn.parameters;
  const bindings = new Map<ts.ParameterDeclaration, Binding>();
  if (first !== undefined && opaque !== undefined && !ts.isSpreadElement(opaque))
    bindings.set(first, { value: opaque, frame, element: false });
  return bindings;
}

/** The first parameter of a callback of `array.forEach` and its like is an element of the array. */
function withElements(entry: Entry, node: ts.CallExpression | ts.NewExpression, frame: Frame): Entry {
  const [first] = entry.fn.parameters;
  if (first === undefined || !ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression))
    return entry;
  const binding: Binding = { value: node.expression.expression, frame, element: true };
  return { ...entry, bindings: new Map([...entry.bindings, [first, binding]]) };
}
