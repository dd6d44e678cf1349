import { ByteWriter } from "./bytes.ts";
import { CodeWriter, Expression, Local, type Statement, typeCode, type ValueType } from "./code.ts";

/** One function while it is built: its type, its locals and, at last, its body. */
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

  /** Parameter number `index`, which must be of the type given. */
  parameter<T extends ValueType>(index: number, type: T): Local<T> {
    if (this.parameters[index] !== type) throw new Error(`parameter ${index} is not of type ${type}`);
    return new Local(type, index);
  }

  /** A new local variable, zero at the start. */
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

/** The result of a function of the same module, of type `result`, which must be its only one. */
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

interface MemoryImport {
  readonly module: string;
  readonly name: string;
  /** In pages of 64 KiB. */
  readonly minimumPages: number;
}

const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const EXTERNAL_FUNCTION = 0;
const EXTERNAL_MEMORY = 2;

/** A module of exported functions over one imported memory: all that a generated processor needs. */
export class ModuleBuilder {
  private memory: MemoryImport | undefined;
  private readonly functions: { name: string; builder: FunctionBuilder }[] = [];

  importMemory(module: string, name: string, minimumPages: number): void {
    this.memory = { module, name, minimumPages };
  }

  /** Adds a function and exports it under `name`. */
  exportFunction(
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ): FunctionBuilder {
    const builder = new FunctionBuilder(parameters, results, this.functions.length);
    this.functions.push({ name, builder });
    return builder;
  }

  /** The module in binary form (core specification, section 5.5). */
  encode(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    section(out, SECTION.type, this.functions, (body, { builder }) => {
      body.byte(0x60);
      body.unsigned(builder.parameters.length);
      for (const type of builder.parameters) body.byte(typeCode[type]);
      body.unsigned(builder.results.length);
      for (const type of builder.results) body.byte(typeCode[type]);
    });
    section(out, SECTION.import, this.memory === undefined ? [] : [this.memory], (body, memory) => {
      body.name(memory.module);
      body.name(memory.name);
      body.byte(EXTERNAL_MEMORY);
      body.byte(0x00);
      body.unsigned(memory.minimumPages);
    });
    section(out, SECTION.function, this.functions, (body, _, index) => body.unsigned(index));
    section(out, SECTION.export, this.functions, (body, { name }, index) => {
      body.name(name);
      body.byte(EXTERNAL_FUNCTION);
      body.unsigned(index);
    });
    section(out, SECTION.code, this.functions, (body, { builder }) => {
      const code = builder.encode();
      body.unsigned(code.length);
      body.append(code);
    });
    return out.toUint8Array();
  }
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
