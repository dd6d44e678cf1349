/** Fields of the device as far as conditions ask about them: empty (null, undefined, false) or full. */
import { ts } from "ts-morph";
import { type ClassShape, type FlowProgram, strip } from "../flow/index.ts";
import { plainType } from "../source/plain-access.ts";
import { Content, type DeviceState, NOWHERE, type States } from "./state.ts";
import { derivesFrom } from "./targets.ts";

export class Fields {
  private readonly shape: ClassShape;
  private readonly indices = new Map<string, number>();
  private readonly initials: number[] = [];
  private readonly regions = new Map<ts.Node, boolean>();

  constructor(shape: ClassShape) {
    this.shape = shape;
    this.indices.set("realized", 0);
    this.initials.push(Content.Empty);
  }

  /** Content of a field that no code has touched. */
  initial(index: number): number {
    return this.initials[index] ?? Content.Empty | Content.Full;
  }

  get(states: States, state: DeviceState, name: string): number {
    return states.field(state, this.indexOf(name));
  }

  set(states: States, state: DeviceState, name: string, content: number): DeviceState {
    return states.withField(state, this.indexOf(name), content);
  }

  narrow(states: States, state: DeviceState, name: string, content: number): DeviceState {
    const left = states.field(state, this.indexOf(name)) & content;
    return left === 0 ? NOWHERE : states.withField(state, this.indexOf(name), left);
  }

  private indexOf(name: string): number {
    let index = this.indices.get(name);
    if (index === undefined) {
      index = this.initials.length;
      this.indices.set(name, index);
      this.initials.push(this.declared(name));
    }
    return index;
  }

  private declared(name: string): number {
    const fields = this.shape.fieldsNamed(name);
    if (fields.length === 0) return Content.Empty | Content.Full;
    let content = 0;
    for (const field of fields) {
      if (ts.isParameter(field)) return Content.Empty | Content.Full;
      content |= field.initializer === undefined ? Content.Empty : this.contentOf(field.initializer);
    }
    // Other objects may set a field that is not private before the device runs.
    const open = fields.some(
      (field) =>
        !ts.isPrivateIdentifier(field.name) &&
        (ts.getCombinedModifierFlags(field) & (ts.ModifierFlags.Private | ts.ModifierFlags.Readonly)) === 0,
    );
    return open ? Content.Empty | Content.Full : content;
  }

  /** What a field holds once this value has been stored in it. */
  contentOf(value: ts.Expression): number {
    const node = strip(value);
    switch (node.kind) {
      case ts.SyntaxKind.NullKeyword:
      case ts.SyntaxKind.FalseKeyword:
      case ts.SyntaxKind.VoidExpression:
        return Content.Empty;
      case ts.SyntaxKind.TrueKeyword:
      case ts.SyntaxKind.NewExpression:
      case ts.SyntaxKind.ObjectLiteralExpression:
      case ts.SyntaxKind.ArrowFunction:
        return Content.Full;
      case ts.SyntaxKind.CallExpression:
        return /\.(?:embed|allocate|create|new[A-Z]\w*|new)\s*\(/.test(node.getText())
          ? Content.Full
          : Content.Empty | Content.Full;
      default:
        return ts.isIdentifier(node) && node.text === "undefined"
          ? Content.Empty
          : Content.Empty | Content.Full;
    }
  }

  /** A condition that asks whether something is there; `negated` if it is true when it is not. */
  test(condition: ts.Expression): { readonly subject: ts.Expression; readonly negated: boolean } | undefined {
    const node = strip(condition);
    if (!ts.isBinaryExpression(node)) return { subject: node, negated: false };
    const { kind } = node.operatorToken;
    const equal = kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.EqualsEqualsToken;
    const unequal =
      kind === ts.SyntaxKind.ExclamationEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsToken;
    if (!equal && !unequal) return undefined;
    for (const [value, subject] of [
      [node.right, node.left],
      [node.left, node.right],
    ] as const) {
      const bare = strip(value);
      if (isConstant(bare)) {
        const asksForNothing = this.contentOf(bare) === Content.Empty;
        return { subject: strip(subject), negated: asksForNothing === equal };
      }
    }
    return undefined;
  }

  /** True for an expression of the type of a region. */
  isRegion(program: FlowProgram, node: ts.Expression): boolean {
    let known = this.regions.get(node);
    if (known === undefined) {
      const { checker } = program;
      const type = plainType(node, checker) ?? checker.getNonNullableType(checker.getTypeAtLocation(node));
      const parts = type.isUnion() ? type.types : [type];
      known = parts.some((part) =>
        (part.symbol?.declarations ?? []).some((each) => derivesFrom(program, each, "MemoryRegion")),
      );
      this.regions.set(node, known);
    }
    return known;
  }
}

function isConstant(node: ts.Expression): boolean {
  return (
    node.kind === ts.SyntaxKind.NullKeyword ||
    node.kind === ts.SyntaxKind.TrueKeyword ||
    node.kind === ts.SyntaxKind.FalseKeyword ||
    (ts.isIdentifier(node) && node.text === "undefined")
  );
}
