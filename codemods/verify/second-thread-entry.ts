/** What the second thread runs: it compiles batches of plans, from the last one backwards, until all are taken. */
import { type MessagePort, workerData } from "node:worker_threads";
import { Configurations } from "../source/compiler-options.ts";
import { Compiler, TextSource } from "./compiler.ts";
import { type Assignment, answer, takeBatch } from "./second-thread.ts";

const { port, first }: { readonly port: MessagePort; readonly first: string } = workerData;

// While the plan is made: reads what every source needs.
const ready = new Compiler(new Configurations().forFile(first), new TextSource(new Map()));
ready.diagnose([first], new Map());
const parsed = ready.latest;

port.on("message", ({ configuration, batches, texts, board }: Assignment) => {
  const compiler = new Compiler(configuration, new TextSource(texts, parsed));
  for (let batch = batches.length - 1; batch >= 0; batch--) {
    if (!takeBatch(board, batch, "ByThread")) continue;
    try {
      answer(port, board, { batch, found: compiler.diagnosePart(batches[batch] ?? [], texts) });
    } catch {
      answer(port, board, { batch, found: undefined }); // the caller meets the error again, and reports it
    }
  }
});
