/** Who calls what, among all files of the program: by name, checked against the declaration only where needed. */
import { ts } from "ts-morph";
import { accessOf, type FlowProgram, strip } from "../flow/index.ts";

/** Methods that make an object, and which of their arguments is its class. */
const TYPE_ARGUMENT = { create: 0, embed: 0, embedArray: 0, newChild: 1 } as const;

export class Callers {
  private readonly program: FlowProgram;
  private readonly files: readonly ts.SourceFile[];
  private calls: Map<string, ts.CallExpression[]> | undefined;

  constructor(program: FlowProgram, files: readonly ts.SourceFile[]) {
    this.program = program;
    this.files = files;
  }

  /** Calls `object.name(…)` of a method that one of these classes declares, outside of these classes. */
  callsOf(name: string, chain: readonly ts.ClassLikeDeclaration[]): readonly ts.CallExpression[] {
    return (this.index().get(name) ?? []).filter((call) => {
      const target = strip(call.expression);
      if (!ts.isPropertyAccessExpression(target)) return false;
      const declared = this.program.declarationOf(target.name);
      const holder = declared?.parent;
      return (
        holder !== undefined &&
        chain.some((each) => each === holder) &&
        !chain.some((each) => isWithin(call, each))
      );
    });
  }

  /** True if the program makes objects of this class, and never unplugs one: then each is realized at most once. */
  realizesOnce(declaration: ts.ClassLikeDeclaration): boolean {
    const name = declaration.name?.text;
    if (name === undefined) return false;
    const makes = Object.entries(TYPE_ARGUMENT).some(([maker, index]) =>
      (this.index().get(maker) ?? []).some((call) => {
        const type = call.arguments[index];
        if (type === undefined || !ts.isIdentifier(strip(type))) return false;
        return this.program.declarationOf(strip(type)) === declaration;
      }),
    );
    if (!makes) return false;
    return !["unplug", "remove"].some((end) =>
      (this.index().get(end) ?? []).some((call) => {
        const object = accessOf(strip(call.expression))?.object;
        if (object === undefined) return false;
        const type = this.program.checker.getNonNullableType(this.program.checker.getTypeAtLocation(object));
        return type.symbol?.declarations?.some((each) => each === declaration) === true;
      }),
    );
  }

  private index(): Map<string, ts.CallExpression[]> {
    if (this.calls !== undefined) return this.calls;
    const calls = new Map<string, ts.CallExpression[]>();
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) {
        const name = accessOf(strip(node.expression))?.name;
        if (name !== undefined) {
          const list = calls.get(name);
          if (list === undefined) calls.set(name, [node]);
          else list.push(node);
        }
      }
      ts.forEachChild(node, visit);
    };
    for (const file of this.files) visit(file);
    this.calls = calls;
    return calls;
  }
}

function isWithin(node: ts.Node, holder: ts.Node): boolean {
  for (let each: ts.Node | undefined = node; each !== undefined; each = each.parent)
    if (each === holder) return true;
  return false;
}
