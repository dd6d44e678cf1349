import { QomError } from "./errors.ts";
import type { QomObject, QomType } from "./object.ts";
import type { ClassProperty } from "./property.ts";

/** What the object model needs to know about a class, computed once. */
interface TypeFacts {
  /** `instanceInit` of each class that declares one, root first. */
  readonly initializers: readonly (() => void)[];
  /** `instanceFinalize` of each class that declares one, leaf first. */
  readonly finalizers: readonly (() => void)[];
  /** Leaf first, in the order that listings show. */
  readonly properties: readonly ClassProperty<never>[];
  /** Names of the type and its ancestors, leaf first. */
  readonly ancestry: readonly string[];
}

/** The types of one machine, by name. */
export class TypeRegistry {
  private readonly byName = new Map<string, QomType>();
  private readonly facts = new WeakMap<QomType, TypeFacts>();

  /** @throws QomError when another class has the same name. */
  register(...types: QomType[]): void {
    for (const type of types) {
      const present = this.byName.get(type.typeName);
      if (present !== undefined && present !== type)
        throw new QomError(`type ${type.typeName} is registered twice`);
      this.byName.set(type.typeName, type);
    }
  }

  /** @throws QomError, listing the known types, when there is no such type. */
  lookup(name: string): QomType {
    const type = this.byName.get(name);
    if (type === undefined) {
      throw new QomError(`unknown device type "${name}"; known types: ${this.names().join(", ")}`);
    }
    return type;
  }

  names(): string[] {
    return [...this.byName.keys()].sort();
  }

  initializers(type: QomType): readonly (() => void)[] {
    return this.factsOf(type).initializers;
  }

  finalizers(type: QomType): readonly (() => void)[] {
    return this.factsOf(type).finalizers;
  }

  classProperties(type: QomType): readonly ClassProperty<never>[] {
    return this.factsOf(type).properties;
  }

  /** Whether `type` is, or inherits from, the type called `name`. */
  isA(type: QomType, name: string): boolean {
    return this.factsOf(type).ancestry.includes(name);
  }

  private factsOf(type: QomType): TypeFacts {
    let facts = this.facts.get(type);
    if (facts === undefined) {
      const classes = classChain(type);
      facts = {
        initializers: classes
          .map((each) => ownMethod(each, "instanceInit"))
          .filter((hook) => hook !== undefined),
        finalizers: classes
          .map((each) => ownMethod(each, "instanceFinalize"))
          .filter((hook) => hook !== undefined)
          .reverse(),
        properties: [...classes]
          .reverse()
          .flatMap((each) => (Object.hasOwn(each, "properties") ? each.properties : [])),
        ancestry: classes.map((each) => each.typeName).reverse(),
      };
      this.facts.set(type, facts);
    }
    return facts;
  }
}

/** The class and its base classes, root first. */
function classChain(type: QomType): QomType[] {
  const chain: QomType[] = [];
  for (let each: unknown = type; typeof each === "function" && each !== Function.prototype; ) {
    chain.unshift(each as QomType); // a class's prototype is its base class
    each = Object.getPrototypeOf(each);
  }
  return chain;
}

function ownMethod(type: QomType, name: "instanceInit" | "instanceFinalize"): (() => void) | undefined {
  const prototype: QomObject = type.prototype;
  return Object.getOwnPropertyDescriptor(prototype, name)?.value;
}
