/** What the second thread runs: it compiles batches of plans, from the last one backwards, until all are taken. */
import { type MessagePort, workerData } from "node:worker_threads";
import { type Configuration, Configurations } from "../source/compiler-options.ts";
import { Compiler, type Library, libraryOf, TextSource } from "./compiler.ts";
import { type Assignment, answer, takeBatch } from "./second-thread.ts";

interface WorkerData {
  readonly port: MessagePort;
  readonly first: string;
  readonly sent: Int32Array;
}
const { port, first, sent }: WorkerData = workerData;

/** Texts that are known before the whole plan is, and compilers with them by the path of their configuration. */
const early = new Map<string, string>();
const compilers = new Map<string | undefined, Compiler>();

// While the plan is made: reads what every source needs.
const library = readAhead(new Configurations().forFile(first));

function readAhead(configuration: Configuration): Library {
  const compiler = new Compiler(configuration, new TextSource(early));
  compiler.diagnose([first], early);
  if (configuration.path !== undefined) compilers.set(configuration.path, compiler);
  return libraryOf(compiler.latest);
}

function compilerFor({ configuration, texts, addsTexts }: Assignment): Compiler {
  if (!addsTexts) return new Compiler(configuration, new TextSource(texts, library));
  for (const [path, text] of texts) early.set(path, text);
  return compilers.get(configuration.path) ?? addCompiler(configuration);
}

function addCompiler(configuration: Configuration): Compiler {
  const compiler = new Compiler(configuration, new TextSource(early, library));
  compilers.set(configuration.path, compiler);
  return compiler;
}

port.on("message", (assignment: Assignment) => {
  const { id, batches, board, addsTexts } = assignment;
  const compiler = compilerFor(assignment);
  const texts = addsTexts ? early : assignment.texts;
  for (let batch = batches.length - 1; batch >= 0; batch--) {
    if (!takeBatch(board, batch, "ByThread")) continue;
    try {
      answer(port, sent, { id, batch, checked: compiler.check(batches[batch] ?? [], texts) });
    } catch {
      answer(port, sent, { id, batch, checked: undefined }); // the caller meets the error again, and reports it
    }
  }
});
