/** Structured control flow (core specification, section 5.4.1). */
import { Expression, Label, type ResultType, type Statement, typeCode, type ValueType } from "./code.ts";

export const nothing: Statement = new Expression("none", () => {});

export function sequence(...statements: readonly Statement[]): Statement {
  return new Expression("none", (code) => {
    for (const statement of statements) statement.emit(code);
  });
}

/** A block that ends at a label created beforehand. */
export function blockTo(end: Label, body: Statement): Statement {
  return new Expression("none", (code) => {
    code.byte(0x02);
    code.byte(typeCode.none);
    code.enter(end);
    body.emit(code);
    code.leave();
    code.byte(0x0b);
  });
}

/** `body` gets the label of the block's end. */
export function block(name: string, body: (end: Label) => Statement): Statement {
  const end = new Label(name);
  return blockTo(end, body(end));
}

/** `body` gets the label of the loop's head; falling off its end leaves the loop. */
export function loop(name: string, body: (head: Label) => Statement): Statement {
  const head = new Label(name);
  const statement = body(head);
  return new Expression("none", (code) => {
    code.byte(0x03);
    code.byte(typeCode.none);
    code.enter(head);
    statement.emit(code);
    code.leave();
    code.byte(0x0b);
  });
}

function conditional<T extends ResultType>(
  type: T,
  condition: Expression<"i32">,
  yes: Expression<T>,
  no: Expression<T> | undefined,
): Expression<T> {
  return new Expression(type, (code) => {
    condition.emit(code);
    code.byte(0x04);
    code.byte(typeCode[type]);
    code.enter(new Label("if"));
    yes.emit(code);
    if (no !== undefined) {
      code.byte(0x05);
      no.emit(code);
    }
    code.leave();
    code.byte(0x0b);
  });
}

export function when(condition: Expression<"i32">, yes: Statement, no?: Statement): Statement {
  return conditional("none", condition, yes, no);
}

/** The value of one of two expressions; the other is not computed. */
export function choose<T extends ValueType>(
  condition: Expression<"i32">,
  yes: Expression<T>,
  no: Expression<T>,
): Expression<T> {
  return conditional(yes.type, condition, yes, no);
}

export function branch(label: Label): Statement {
  return new Expression("none", (code) => {
    code.byte(0x0c);
    code.unsigned(code.depth(label));
  });
}

export function branchIf(condition: Expression<"i32">, label: Label): Statement {
  return new Expression("none", (code) => {
    condition.emit(code);
    code.byte(0x0d);
    code.unsigned(code.depth(label));
  });
}

export function branchTable(index: Expression<"i32">, labels: readonly Label[], otherwise: Label): Statement {
  return new Expression("none", (code) => {
    index.emit(code);
    code.byte(0x0e);
    code.unsigned(labels.length);
    for (const label of labels) code.unsigned(code.depth(label));
    code.unsigned(code.depth(otherwise));
  });
}

export function returnValue(value: Expression<ValueType>): Statement {
  return new Expression("none", (code) => {
    value.emit(code);
    code.byte(0x0f);
  });
}

/** Computes a value and discards it. */
export function drop(value: Expression<ValueType>): Statement {
  return new Expression("none", (code) => {
    value.emit(code);
    code.byte(0x1a);
  });
}

/** One of two values, both computed, without a branch. */
export function select<T extends ValueType>(
  condition: Expression<"i32">,
  yes: Expression<T>,
  no: Expression<T>,
): Expression<T> {
  return new Expression(yes.type, (code) => {
    yes.emit(code);
    no.emit(code);
    condition.emit(code);
    code.byte(0x1b);
  });
}

/** Tail-calls function `index` of the module, which returns in place of this one (section 4.4.8). */
export function returnCall(index: number, operands: readonly Expression<ValueType>[]): Statement {
  return new Expression("none", (code) => {
    for (const operand of operands) operand.emit(code);
    code.byte(0x12);
    code.unsigned(index);
  });
}

/** Tail-calls an element of the module's table. `signature` is as returned by `ModuleBuilder.signature`. */
export function returnCallIndirect(
  signature: number,
  element: Expression<"i32">,
  operands: readonly Expression<ValueType>[],
): Statement {
  return new Expression("none", (code) => {
    for (const operand of operands) operand.emit(code);
    element.emit(code);
    code.byte(0x13);
    code.unsigned(signature);
    code.unsigned(0);
  });
}

export const unreachable: Statement = new Expression("none", (code) => code.byte(0x00));
