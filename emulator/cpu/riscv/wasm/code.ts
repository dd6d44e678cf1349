import { ByteWriter } from "./bytes.ts";

/** The value types in use (core specification, section 5.3.1). */
export type ValueType = "i32" | "i64" | "f32" | "f64";

/** Type of a piece of code: what it leaves on the operand stack. */
export type ResultType = ValueType | "none";

export const typeCode: Record<ResultType, number> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  none: 0x40,
};

/**
 * A typed piece of code. Building one emits nothing: `emit` writes it, once for every place where it is used, so a
 * value that is costly or must be computed once belongs in a local.
 */
export class Expression<T extends ResultType> {
  readonly type: T;
  readonly emit: (code: CodeWriter) => void;

  constructor(type: T, emit: (code: CodeWriter) => void) {
    this.type = type;
    this.emit = emit;
  }
}

/** Expressions by type. */
export type I32 = Expression<"i32">;
export type I64 = Expression<"i64">;
export type F32 = Expression<"f32">;
export type F64 = Expression<"f64">;

/** Code that leaves nothing on the operand stack. */
export type Statement = Expression<"none">;

/** Target of a branch: the end of a block or the head of a loop. */
export class Label {
  readonly name: string;
  /** Number of labels around it while its block is being written, or -1. */
  level = -1;

  constructor(name: string) {
    this.name = name;
  }
}

/** Body of a function under construction: the bytes, and the enclosing labels that branches count from. */
export class CodeWriter extends ByteWriter {
  private readonly labels: Label[] = [];

  enter(label: Label): void {
    label.level = this.labels.length;
    this.labels.push(label);
  }

  leave(): void {
    const label = this.labels.pop();
    if (label !== undefined) label.level = -1;
  }

  /** Number of labels between here and `label`, as branch instructions encode it. */
  depth(label: Label): number {
    if (label.level < 0) throw new Error(`branch to label "${label.name}", which does not enclose it`);
    return this.labels.length - 1 - label.level;
  }
}

/** A function's local variable or parameter. */
export class Local<T extends ValueType> {
  readonly type: T;
  readonly index: number;
  /** The current value. */
  readonly value: Expression<T>;

  constructor(type: T, index: number) {
    this.type = type;
    this.index = index;
    this.value = new Expression(type, (code) => {
      code.byte(0x20);
      code.unsigned(index);
    });
  }

  set(value: Expression<T>): Statement {
    return new Expression("none", (code) => {
      value.emit(code);
      code.byte(0x21);
      code.unsigned(this.index);
    });
  }

  /** Assigns a value and returns it. */
  tee(value: Expression<T>): Expression<T> {
    return new Expression(this.type, (code) => {
      value.emit(code);
      code.byte(0x22);
      code.unsigned(this.index);
    });
  }
}
