/** Finds out what a call runs: functions of the program that can be followed, or something outside. */
import { ts } from "ts-morph";
import { type Binding, DEVICE, type Frame, outermostFrame, type Source } from "./frames.ts";
import { type ClassShape, type FlowProgram, functionOf } from "./program.ts";
import type { CalleeResolver } from "./source-kinds.ts";
import { Sources } from "./sources.ts";
import { accessOf, classAround, functionAround, type Runnable, strip } from "./syntax.ts";

/** One function that a call may run. */
export interface Body {
  readonly fn: Runnable;
  readonly self: readonly Source[];
  /** The frame in which the function was defined. */
  readonly outer: Frame | undefined;
}

/** When a function that is passed to a call runs. */
export const CallbackTime = {
  /** Exactly once, before the call returns. */
  Once: "once",
  /** Any number of times before the call returns, and never again. */
  Many: "many",
  /** Any number of times after the call has returned. */
  Later: "later",
  /** Any number of times, before or after. */
  Either: "either",
} as const;
export type CallbackTime = (typeof CallbackTime)[keyof typeof CallbackTime];

export type Callee =
  | {
      readonly kind: "followed";
      readonly bodies: readonly Body[];
      /** True if the call may also run nothing, or something that was not found. */
      readonly perhaps: boolean;
    }
  /** A function without a body at hand. `name` is the method's or function's. */
  | {
      readonly kind: "outside";
      readonly name: string;
      readonly framework: boolean;
      readonly callbacks: CallbackTime;
    }
  /** `this[key]()` with an unknown key: any method. */
  | { readonly kind: "any method" }
  | { readonly kind: "unknown"; readonly why: string };

/** Framework methods that call back at once, exactly one time. */
const runsOnce: ReadonlySet<string> = new Set(["transaction", "ioEventFdTransaction"]);
/** Functions of the language that keep what they are given and call it later. */
const runsLater: ReadonlySet<string> = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "nextTick",
  "then",
  "catch",
  "finally",
  "addEventListener",
  "on",
  "once",
]);

export class Callees implements CalleeResolver {
  readonly program: FlowProgram;
  readonly shape: ClassShape;
  readonly sources: Sources;
  /** The frame of code that runs outside of all followed calls. */
  readonly top: Frame;

  constructor(program: FlowProgram, shape: ClassShape) {
    this.program = program;
    this.shape = shape;
    this.top = outermostFrame([DEVICE]);
    this.sources = new Sources(program, shape, this, this.top);
  }

  /** The frame of a call of `fn` with the arguments of `call`. */
  frameFor(
    fn: Runnable,
    call: ts.Node,
    self: readonly Source[],
    outer: Frame | undefined,
    caller: Frame,
  ): Frame {
    const bindings = new Map<ts.ParameterDeclaration, Binding>();
    const args = argumentsOf(call);
    for (const [index, parameter] of fn.parameters.entries()) {
      const value = args[index];
      if (value === undefined || ts.isSpreadElement(value) || parameter.dotDotDotToken !== undefined) break;
      bindings.set(parameter, { value, frame: caller, element: false });
    }
    return { fn, self, bindings, outer, caller, call, depth: caller.depth + 1 };
  }

  resolve(call: ts.CallExpression, frame: Frame): Callee {
    const target = strip(call.expression);
    if (target.kind === ts.SyntaxKind.SuperKeyword) return this.outside(call, "super");
    const access = accessOf(target);
    if (access === undefined) return this.resolveValue(call, target, frame);
    const { object, name } = access;
    if (strip(object).kind === ts.SyntaxKind.SuperKeyword) {
      const around = classAround(call);
      const method = name === undefined ? undefined : this.shapeAround(frame).method(name, around);
      if (method === undefined) return this.outside(call, name ?? "");
      return {
        kind: "followed",
        bodies: [{ fn: method, self: frame.self, outer: undefined }],
        perhaps: false,
      };
    }
    if ((name === "call" || name === "apply") && call.arguments[0] !== undefined) {
      const self = this.sources.of(call.arguments[0], frame);
      const bodies = this.sources
        .functionsOf(object, frame)
        .map(({ fn, frame: outer }) => ({ fn, self, outer }));
      if (bodies.length > 0) return { kind: "followed", bodies, perhaps: false };
    }
    return this.resolveMethod(call, object, name, frame);
  }

  private resolveMethod(
    call: ts.CallExpression,
    object: ts.Expression,
    name: string | undefined,
    frame: Frame,
  ): Callee {
    const holders = this.sources.of(object, frame);
    const onDevice = holders.some(({ kind }) => kind === "device");
    if (name === undefined && onDevice) return { kind: "any method" };
    const bodies: Body[] = [];
    let perhaps = false;
    for (const holder of holders) {
      const found = this.methodOn(holder, name ?? "", call.expression, frame);
      bodies.push(...found);
      if (found.length === 0) perhaps = true;
    }
    if (bodies.length > 0) return { kind: "followed", bodies, perhaps: perhaps || bodies.length > 1 };
    if (onDevice && name !== undefined) {
      const [member] = this.shape.members(name);
      if (member !== undefined)
        return { kind: "unknown", why: `what \`${name}\` holds when it is called is not known` };
    }
    return this.declared(call, holders, name ?? "");
  }

  /** Functions that `name` is, called on an object that can be followed. */
  methodOn(holder: Source, name: string, node: ts.Node, frame: Frame): Body[] {
    if (holder.kind === "device") {
      const method = this.shape.method(name);
      if (method !== undefined) return [{ fn: method, self: [DEVICE], outer: undefined }];
      return this.sources
        .property(holder, name, node, frame)
        .flatMap((each) => this.sources.functionIn(each))
        .map(({ fn, frame: outer, self }) => ({ fn, self, outer }));
    }
    if (holder.kind !== "expression") {
      return this.sources
        .contents(holder)
        .filter(({ kind }) => kind === "expression" || kind === "device")
        .flatMap((each) => this.methodOn(each, name, node, frame));
    }
    const made = holder.node;
    if (ts.isNewExpression(made)) {
      const method = this.sources.shapeMadeBy(made)?.method(name);
      if (method !== undefined) return [{ fn: method, self: [holder], outer: undefined }];
    }
    if (ts.isNewExpression(made) || ts.isObjectLiteralExpression(made)) {
      return this.sources
        .property(holder, name, node, frame)
        .flatMap((each) => this.sources.functionIn(each))
        .map(({ fn, frame: outer, self }) => ({
          fn,
          self: ts.isMethodDeclaration(fn) || ts.isFunctionExpression(fn) ? [holder] : self,
          outer,
        }));
    }
    return [];
  }

  /** What the checker says the call's target is. */
  private declared(call: ts.CallExpression, holders: readonly Source[], name: string): Callee {
    const target = strip(call.expression);
    const named = ts.isPropertyAccessExpression(target) ? target.name : target;
    const declaration = this.program.declarationOf(named);
    if (declaration === undefined) return this.outside(call, name);
    const fn = functionOf(declaration) ?? this.valueOf(declaration);
    if (fn === undefined || this.program.isOutside(fn)) return this.outside(call, name, declaration);
    const self = ts.isPropertyAccessExpression(target) ? holders : [];
    return { kind: "followed", bodies: [{ fn, self, outer: undefined }], perhaps: false };
  }

  /** The function that a constant, a property or a method of an object literal holds. */
  private valueOf(declaration: ts.Node): Runnable | undefined {
    const value =
      ts.isVariableDeclaration(declaration) || ts.isPropertyAssignment(declaration)
        ? declaration.initializer
        : undefined;
    const bare = value === undefined ? undefined : strip(value);
    return bare !== undefined && (ts.isArrowFunction(bare) || ts.isFunctionExpression(bare))
      ? bare
      : undefined;
  }

  private resolveValue(call: ts.CallExpression, target: ts.Expression, frame: Frame): Callee {
    const found = this.sources.functionsOf(target, frame);
    if (found.length > 0) {
      const bodies = found.map(({ fn, frame: outer, self }) => ({ fn, self, outer }));
      const sources = this.sources.of(target, frame);
      // An element is another function each time.
      const perhaps = bodies.length > 1 || sources.length > found.length || sources.some(isElement);
      return { kind: "followed", bodies, perhaps };
    }
    const declaration = ts.isIdentifier(target) ? this.program.declarationOf(target) : undefined;
    if (declaration !== undefined && ts.isParameter(declaration) && functionAround(call) !== undefined)
      return { kind: "unknown", why: "a function that was passed in is called" };
    return this.outside(call, ts.isIdentifier(target) ? target.text : "", declaration);
  }

  private outside(call: ts.Node, name: string, declaration?: ts.Node): Callee {
    const file = declaration?.getSourceFile();
    const framework = declaration !== undefined && this.program.isFramework(declaration) && !isLibrary(file);
    return { kind: "outside", name, framework, callbacks: this.callbackTime(call, name, framework, file) };
  }

  private callbackTime(
    call: ts.Node,
    name: string,
    framework: boolean,
    file: ts.SourceFile | undefined,
  ): CallbackTime {
    if (framework || call.kind === ts.SyntaxKind.SuperKeyword)
      return runsOnce.has(name) ? CallbackTime.Once : CallbackTime.Later;
    if (runsLater.has(name)) return CallbackTime.Later;
    if (isLibrary(file)) return CallbackTime.Many;
    return CallbackTime.Either;
  }

  /** The class on whose object the frame runs. */
  private shapeAround(frame: Frame): ClassShape {
    const [self] = frame.self;
    if (self?.kind === "expression" && ts.isNewExpression(self.node))
      return this.sources.shapeMadeBy(self.node) ?? this.shape;
    return this.shape;
  }
}

function isElement({ kind }: Source): boolean {
  return kind === "element";
}

function argumentsOf(call: ts.Node): readonly ts.Expression[] {
  if (ts.isCallExpression(call) || ts.isNewExpression(call)) return call.arguments ?? [];
  return ts.isBinaryExpression(call) ? [call.right] : [];
}

/** True for the declarations of the language itself. */
function isLibrary(file: ts.SourceFile | undefined): boolean {
  return file?.hasNoDefaultLib === true || /\/lib\.[\w.]+\.d\.ts$/.test(file?.fileName ?? "");
}
