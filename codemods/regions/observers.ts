/**
 * Code for which the two forms are not alike, whatever is done with the regions: it reads how much storage there is, it is
 * text that only runs, or it makes methods run otherwise than they are written.
 */
import { type ClassDeclaration, type Decorator, Node, type SourceFile, SyntaxKind } from "ts-morph";
import type { Identity } from "../source/identity.ts";
import { descendantsOfKind } from "../source/node-index.ts";
import { propertyOf } from "../source/types.ts";
import type { ClassGraph } from "./classes.ts";
import { declarationsOf } from "./names.ts";
import { prototypesIn } from "./prototypes.ts";
import { innermost } from "./trace-syntax.ts";

/** What the object model keeps count of: the block of an object, and all blocks of a machine. */
const ledgers = /^(?:block|heap)$/;

export class Observers {
  private readonly sources: readonly SourceFile[];
  private readonly identity: Identity;
  private readonly classes: ClassGraph;
  private readings: readonly Node[] | undefined;
  private evaluations: readonly Node[] | undefined;
  private decorators: readonly Decorator[] | undefined;
  private prototypes: readonly Node[] | undefined;

  constructor(sources: readonly SourceFile[], identity: Identity, classes: ClassGraph) {
    this.sources = sources;
    this.identity = identity;
    this.classes = classes;
  }

  /**
   * Where the device learns how much storage it or its machine has: `this.block`, `model.heap`. An embedded region is part of
   * the device's block, an owned one has a block of its own.
   */
  storageRead(device: ClassDeclaration): Node | undefined {
    this.readings ??= this.sources.flatMap((file) => this.readingsIn(file));
    if (this.readings.length === 0) return undefined;
    const kin = this.kinOf(device);
    return this.readings.find((reading) => {
      const around = reading.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
      if (around !== undefined) return kin.has(around);
      return reading.getSourceFile() === device.getSourceFile() || isReadOf(reading, kin);
    });
  }

  /** `eval("…")` in the class, in one that it shares its objects with, or in a function beside it: what it names cannot be seen. */
  evaluation(device: ClassDeclaration): Node | undefined {
    this.evaluations ??= this.sources.flatMap(evaluationsIn);
    if (this.evaluations.length === 0) return undefined;
    const kin = this.kinOf(device);
    return this.evaluations.find((call) => {
      const around = call.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
      return around === undefined ? call.getSourceFile() === device.getSourceFile() : kin.has(around);
    });
  }

  /** A decorator of the class, of a relative, or of a member, that may run a method more than once, late or not at all. */
  decoration(device: ClassDeclaration): Node | undefined {
    this.decorators ??= this.sources.flatMap((file) =>
      descendantsOfKind(file, SyntaxKind.Decorator).filter((each) => !isHarmless(each)),
    );
    if (this.decorators.length === 0) return undefined;
    const kin = this.kinOf(device);
    return this.decorators.find((each) =>
      kin.has(each.getFirstAncestorByKind(SyntaxKind.ClassDeclaration) ?? each),
    );
  }

  /** `Device.prototype`, unless it is only read: other methods may be put there. */
  prototypeOf(device: ClassDeclaration): Node | undefined {
    this.prototypes ??= this.sources.flatMap(prototypesIn);
    if (this.prototypes.length === 0) return undefined;
    const kin = this.kinOf(device);
    return this.prototypes.find((access) => {
      const holder = Node.isPropertyAccessExpression(access) ? innermost(access.getExpression()) : access;
      if (holder.getType().isAny()) return access.getSourceFile() === device.getSourceFile();
      const name = Node.isPropertyAccessExpression(holder) ? holder.getNameNode() : holder;
      if (!Node.isIdentifier(name))
        return kin.has(access.getFirstAncestorByKind(SyntaxKind.ClassDeclaration) ?? access);
      return declarationsOf(name).some((each) => kin.has(each) || !Node.isClassDeclaration(each));
    });
  }

  private kinOf(device: ClassDeclaration): ReadonlySet<Node> {
    return new Set([device, ...this.classes.relativesOf(device).map(({ declaration }) => declaration)]);
  }

  private readingsIn(file: SourceFile): Node[] {
    if (!/\b(?:block|heap)\b/.test(file.getFullText())) return [];
    return [
      ...descendantsOfKind(file, SyntaxKind.PropertyAccessExpression).filter((access) => {
        if (!ledgers.test(access.getName())) return false;
        return (
          this.isLedger(access.getNameNode()) && !this.identity.isRegion(access.getExpression().getType())
        );
      }),
      ...descendantsOfKind(file, SyntaxKind.ElementAccessExpression).filter((access) => {
        const key = access.getArgumentExpression();
        if (!Node.isStringLiteral(key) || !ledgers.test(key.getLiteralText())) return false;
        return this.isProperty(access.getExpression(), key.getLiteralText());
      }),
      ...descendantsOfKind(file, SyntaxKind.BindingElement).filter((element) => {
        const name = (element.getPropertyNameNode() ?? element.getNameNode()).getText();
        const pattern = element.getParent();
        return ledgers.test(name) && Node.isObjectBindingPattern(pattern) && this.isProperty(pattern, name);
      }),
    ];
  }

  private isLedger(name: Node): boolean {
    return this.identity.isObjectModelMethod(name);
  }

  private isProperty(object: Node, name: string): boolean {
    const declarations = propertyOf(object.getType(), name)?.getDeclarations() ?? [];
    return declarations.some((each) => this.identity.isDeclaredByModel(each));
  }
}

/** Facts that a decorator may ask its context for. */
const contextFacts = /^(?:kind|name|static|private)$/;

/** True for a function that returns nothing in place of what it decorates, and does nothing with it. */
function isHarmless(decorator: Decorator): boolean {
  if (decorator.isDecoratorFactory()) return false;
  const callee = innermost(decorator.getExpression());
  const [fn] = declarationsOf(Node.isPropertyAccessExpression(callee) ? callee.getNameNode() : callee);
  if (!Node.isFunctionDeclaration(fn) || fn.getBody() === undefined) return false;
  if (descendantsOfKind(fn, SyntaxKind.ReturnStatement).some((each) => each.getExpression() !== undefined))
    return false;
  const parameters = fn.getParameters();
  const names = new Set(parameters.map((each) => each.getName()));
  if (parameters.some((each) => !Node.isIdentifier(each.getNameNode()))) return false;
  const mentions = (fn.getBody()?.getDescendantsOfKind(SyntaxKind.Identifier) ?? []).filter(
    (each) => names.has(each.getText()) || each.getText() === "arguments",
  );
  return mentions.every((each) => {
    const access = each.getParent();
    return Node.isPropertyAccessExpression(access) && access.getExpression() === each
      ? contextFacts.test(access.getName())
      : Node.isPropertyAccessExpression(access);
  });
}

/** True if a function reads the block of an object of one of the classes. */
function isReadOf(reading: Node, kin: ReadonlySet<Node>): boolean {
  const object = Node.isPropertyAccessExpression(reading) || Node.isElementAccessExpression(reading);
  const declarations = object ? (reading.getExpression().getType().getSymbol()?.getDeclarations() ?? []) : [];
  return declarations.some((each) => kin.has(each));
}

/** A call by the name itself, which sees what is around it; by any other name it sees global names only. */
function evaluationsIn(file: SourceFile): Node[] {
  if (!/\beval\b/.test(file.getFullText())) return [];
  return descendantsOfKind(file, SyntaxKind.CallExpression).filter((call) => {
    const callee = innermost(call.getExpression());
    return Node.isIdentifier(callee) && callee.getText() === "eval";
  });
}
