/** Programs from text for tests of the flow engine, with a framework of a few signatures. */
import { Project, ts } from "ts-morph";
import { FlowProgram } from "../program.ts";
import { type LifeQueries, lifeQueries, type Order, type Times } from "../queries.ts";

const framework = `
export declare class QomObject {
  protected instanceInit?(): void;
  protected instanceFinalize?(): void;
}
export declare class Device extends QomObject {
  protected realize(): void;
  protected unrealize(): void;
  protected hooked(): void;
  reset(): void;
  /** Keeps the callback and calls it while the machine runs. */
  protected later(callback: () => void): void;
  /** Calls the callback at once. */
  protected transaction(callback: () => void): void;
}
export declare function mark(number: number): void;
export declare function cond(): boolean;
`;
/** Code of somebody else, which is neither the framework nor at hand. */
const foreign = "export declare function outside(value: unknown): void;";
const imports = `import { Device, mark, cond } from "/framework/qdev.ts";
import { outside } from "/foreign.d.ts";
`;

/** One project serves all tests of a file: parsing the library takes longer than everything else. */
let shared: Project | undefined;

function project(): Project {
  shared ??= new Project({
    useInMemoryFileSystem: true,
    compilerOptions: { target: ts.ScriptTarget.ES2023, strict: true, lib: ["lib.es2023.d.ts"], types: [] },
  });
  return shared;
}

/**
 * The program that consists of one text (the framework is imported) and other files by name. `imported` are files that are
 * not named to the program, which finds them by itself.
 */
export function programOf(
  text: string,
  others: Readonly<Record<string, string>> = {},
  imported: Readonly<Record<string, string>> = {},
): FlowProgram {
  const all = project();
  all.createSourceFile("/framework/qdev.ts", framework, { overwrite: true });
  all.createSourceFile("/foreign.d.ts", foreign, { overwrite: true });
  for (const [name, other] of Object.entries(imported))
    all.createSourceFile(`/${name}`, other, { overwrite: true });
  const files = [
    all.createSourceFile("/dev.ts", imports + text, { overwrite: true }),
    ...Object.entries(others).map(([name, other]) =>
      all.createSourceFile(`/${name}`, imports + other, { overwrite: true }),
    ),
  ];
  const isFramework = (file: ts.SourceFile) => file.fileName.startsWith("/framework/");
  return new FlowProgram(
    all.getTypeChecker().compilerObject,
    files.map(({ compilerNode }) => compilerNode),
    isFramework,
  );
}

/** The calls `mark(n)` of a program, by number. */
export function marksOf(program: FlowProgram): Map<number, ts.CallExpression> {
  const marks = new Map<number, ts.CallExpression>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === "mark") {
      const [number] = node.arguments;
      if (number !== undefined) marks.set(Number(number.getText()), node);
    }
    ts.forEachChild(node, visit);
  };
  const files = new Set(program.classes.map((each) => each.getSourceFile()));
  for (const file of files) visit(file);
  return marks;
}

/** Answers about the marks of the class `Dut`. */
export interface Answers {
  readonly queries: LifeQueries;
  times(mark: number): Times;
  order(creation: number, use: number): Order;
}

export function answersFor(
  text: string,
  others?: Readonly<Record<string, string>>,
  imported?: Readonly<Record<string, string>>,
): Answers {
  const program = programOf(text, others, imported);
  const marks = marksOf(program);
  const dut = program.classes.find(({ name }) => name?.text === "Dut");
  if (dut === undefined) throw new Error("the text has no class Dut");
  const queries = lifeQueries(program, dut, [...marks.values()]);
  const at = (number: number): ts.CallExpression => {
    const node = marks.get(number);
    if (node === undefined) throw new Error(`no mark ${number}`);
    return node;
  };
  return {
    queries,
    times: (mark) => queries.timesOf(at(mark)),
    order: (creation, use) => queries.orderOf(at(creation), at(use)),
  };
}
