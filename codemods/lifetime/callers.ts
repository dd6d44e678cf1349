/** Who calls what, among all files of the program: by name, checked against the declaration only where needed. */
import { ts } from "ts-morph";
import { accessOf, type FlowProgram, strip } from "../flow/index.ts";

/** Methods that make an object, and which of their arguments is its class. */
const TYPE_ARGUMENT = { create: 0, embed: 0, embedArray: 0, newChild: 1 } as const;

export class Callers {
  private readonly program: FlowProgram;
  private readonly files: readonly ts.SourceFile[];
  private calls: Map<string, ts.CallExpression[]> | undefined;
  /** By the name of a method, then by what declares it: many classes may have methods of one name. */
  private readonly byHolder = new Map<string, ReadonlyMap<ts.Node, readonly ts.CallExpression[]>>();
  private made: ReadonlySet<ts.Declaration> | undefined;

  constructor(program: FlowProgram, files: readonly ts.SourceFile[]) {
    this.program = program;
    this.files = files;
  }

  /** Calls `object.name(…)` of a method that one of these classes declares, outside of these classes. */
  callsOf(name: string, chain: readonly ts.ClassLikeDeclaration[]): readonly ts.CallExpression[] {
    const byHolder = this.callsByHolder(name);
    return chain
      .flatMap((holder) => byHolder.get(holder) ?? [])
      .filter((call) => !chain.some((each) => isWithin(call, each)));
  }

  private callsByHolder(name: string): ReadonlyMap<ts.Node, readonly ts.CallExpression[]> {
    const known = this.byHolder.get(name);
    if (known !== undefined) return known;
    const found = new Map<ts.Node, ts.CallExpression[]>();
    for (const call of this.index().get(name) ?? []) {
      const target = strip(call.expression);
      const declared = ts.isPropertyAccessExpression(target)
        ? this.program.declarationOf(target.name)
        : undefined;
      if (declared?.parent !== undefined) add(found, declared.parent, call);
    }
    this.byHolder.set(name, found);
    return found;
  }

  /** True if the program makes objects of this class, and never unplugs one: then each is realized at most once. */
  realizesOnce(declaration: ts.ClassLikeDeclaration): boolean {
    if (declaration.name === undefined) return false;
    this.made ??= this.classesMade();
    if (!this.made.has(declaration)) return false;
    return !["unplug", "remove"].some((end) =>
      (this.index().get(end) ?? []).some((call) => {
        const object = accessOf(strip(call.expression))?.object;
        if (object === undefined) return false;
        const type = this.program.checker.getNonNullableType(this.program.checker.getTypeAtLocation(object));
        return type.symbol?.declarations?.some((each) => each === declaration) === true;
      }),
    );
  }

  /** The classes that the program makes objects of by name. */
  private classesMade(): ReadonlySet<ts.Declaration> {
    const found = new Set<ts.Declaration>();
    for (const [maker, index] of Object.entries(TYPE_ARGUMENT)) {
      for (const call of this.index().get(maker) ?? []) {
        const type = call.arguments[index];
        const name = type === undefined ? undefined : strip(type);
        const declared = name !== undefined && ts.isIdentifier(name) && this.program.declarationOf(name);
        if (declared) found.add(declared);
      }
    }
    return found;
  }

  private index(): Map<string, ts.CallExpression[]> {
    if (this.calls !== undefined) return this.calls;
    const calls = new Map<string, ts.CallExpression[]>();
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) {
        const name = accessOf(strip(node.expression))?.name;
        if (name !== undefined) add(calls, name, node);
      }
      ts.forEachChild(node, visit);
    };
    for (const file of this.files) visit(file);
    this.calls = calls;
    return calls;
  }
}

function add<Key>(map: Map<Key, ts.CallExpression[]>, key: Key, call: ts.CallExpression): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [call]);
  else list.push(call);
}

function isWithin(node: ts.Node, holder: ts.Node): boolean {
  for (let each: ts.Node | undefined = node; each !== undefined; each = each.parent)
    if (each === holder) return true;
  return false;
}
