import { ByteWriter } from "./bytes.ts";
import { CodeWriter, Expression, Local, type Statement, typeCode, type ValueType } from "./code.ts";

/** A function under construction: its type, its locals and finally its body. */
export class FunctionBuilder {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Number of the function in its module. */
  readonly index: number;
  private readonly locals: ValueType[] = [];
  private body: Statement | undefined;

  constructor(parameters: readonly ValueType[], results: readonly ValueType[], index: number) {
    this.index = index;
    this.parameters = parameters;
    this.results = results;
  }

  /** Parameter number `index`, which must be of the given type. */
  parameter<T extends ValueType>(index: number, type: T): Local<T> {
    if (this.parameters[index] !== type) throw new Error(`parameter ${index} is not of type ${type}`);
    return new Local(type, index);
  }

  /** A new local variable, initially zero. */
  local<T extends ValueType>(type: T): Local<T> {
    this.locals.push(type);
    return new Local(type, this.parameters.length + this.locals.length - 1);
  }

  setBody(body: Statement): void {
    this.body = body;
  }

  /** Entry of the code section (core specification, section 5.5.13). */
  encode(): ByteWriter {
    if (this.body === undefined) throw new Error("function without a body");
    const code = new CodeWriter();
    code.unsigned(this.locals.length);
    for (const type of this.locals) {
      code.unsigned(1);
      code.byte(typeCode[type]);
    }
    this.body.emit(code);
    code.byte(0x0b);
    return code;
  }
}

/** Calls a function of the same module. Its only result must be of type `result`. */
export function call<R extends ValueType>(
  callee: FunctionBuilder,
  result: R,
  ...operands: readonly Expression<ValueType>[]
): Expression<R> {
  if (callee.results.length !== 1 || callee.results[0] !== result) {
    throw new Error(`function ${callee.index} has no single result of type ${result}`);
  }
  const types = operands.map(({ type }) => type);
  if (types.join() !== callee.parameters.join()) {
    throw new Error(`function ${callee.index} takes ${callee.parameters.join()}, not ${types.join()}`);
  }
  return new Expression(result, (code) => {
    for (const operand of operands) operand.emit(code);
    code.byte(0x10);
    code.unsigned(callee.index);
  });
}

interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: number;
  /** For a memory, the minimum in pages of 64 KiB; for a table, in elements; for a function, its signature. */
  readonly detail: number;
}

/** A function signature, as calls name it. */
export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const EXTERNAL = { function: 0, table: 1, memory: 2 } as const;
const FUNCREF = 0x70;

/** A module of exported functions over an imported memory and table: all that a generated processor needs. */
export class ModuleBuilder {
  private readonly imports: Import[] = [];
  private readonly signatures: Signature[] = [];
  private readonly functions: { name: string; builder: FunctionBuilder }[] = [];

  importMemory(module: string, name: string, minimumPages: number): void {
    this.imports.push({ module, name, kind: EXTERNAL.memory, detail: minimumPages });
  }

  /** Imports a table of functions, for indirect calls. */
  importTable(module: string, name: string, minimumElements: number): void {
    this.imports.push({ module, name, kind: EXTERNAL.table, detail: minimumElements });
  }

  /** Imports a function and returns its index for `returnCall`. Must be called before other functions are added. */
  importFunction(
    module: string,
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ): number {
    const { function: kind } = EXTERNAL;
    this.imports.push({ module, name, kind, detail: this.signature(parameters, results) });
    return this.importedFunctions - 1;
  }

  private get importedFunctions(): number {
    return this.imports.filter(({ kind }) => kind === EXTERNAL.function).length;
  }

  /** Index of a signature, for `returnCallIndirect`. */
  signature(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const known = this.signatures.findIndex(
      (each) => same(each.parameters, parameters) && same(each.results, results),
    );
    return known >= 0 ? known : this.signatures.push({ parameters, results }) - 1;
  }

  /** Adds a function and exports it under `name`. */
  exportFunction(
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ): FunctionBuilder {
    const builder = new FunctionBuilder(parameters, results, this.importedFunctions + this.functions.length);
    this.functions.push({ name, builder });
    return builder;
  }

  /** The module in binary form (core specification, section 5.5). */
  encode(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const types = this.functions.map(({ builder }) => this.signature(builder.parameters, builder.results));
    section(out, SECTION.type, this.signatures, (body, { parameters, results }) => {
      body.byte(0x60);
      body.unsigned(parameters.length);
      for (const type of parameters) body.byte(typeCode[type]);
      body.unsigned(results.length);
      for (const type of results) body.byte(typeCode[type]);
    });
    section(out, SECTION.import, this.imports, (body, { module, name, kind, detail }) => {
      body.name(module);
      body.name(name);
      body.byte(kind);
      if (kind === EXTERNAL.table) body.byte(FUNCREF);
      if (kind !== EXTERNAL.function) body.byte(0x00);
      body.unsigned(detail);
    });
    section(out, SECTION.function, types, (body, type) => body.unsigned(type));
    section(out, SECTION.export, this.functions, (body, { name }, index) => {
      body.name(name);
      body.byte(EXTERNAL.function);
      body.unsigned(this.importedFunctions + index);
    });
    section(out, SECTION.code, this.functions, (body, { builder }) => {
      const code = builder.encode();
      body.unsigned(code.length);
      body.append(code);
    });
    return out.toUint8Array();
  }
}

function same(left: readonly ValueType[], right: readonly ValueType[]): boolean {
  return left.length === right.length && left.every((type, index) => type === right[index]);
}

function section<T>(
  out: ByteWriter,
  id: number,
  entries: readonly T[],
  write: (body: ByteWriter, entry: T, index: number) => void,
): void {
  if (entries.length === 0) return;
  const body = new ByteWriter();
  body.unsigned(entries.length);
  entries.forEach((entry, index) => {
    write(body, entry, index);
  });
  out.byte(id);
  out.unsigned(body.length);
  out.append(body);
}
