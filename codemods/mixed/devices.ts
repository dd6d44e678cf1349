/** The device tree converted in part, to be run and looked at by others. */
import { join } from "node:path";
import { auditLifetimes } from "../lifetime/audit.ts";
import { readProgram } from "../pipeline.ts";
import { projectRoot } from "../project-root.ts";
import { type RunnableTree, TreeMixer } from "./convert.ts";

/** Mixes the embedded tree; reads and plans it once. */
export class DeviceMixer {
  private readonly folder = embeddedTree();
  private readonly mixer = new TreeMixer(this.folder, "embedded");
  private readonly trees = new Map<number, RunnableTree>();

  /** Whether there are sources to mix: the npm package has none. */
  static get isPossible(): boolean {
    return TreeMixer.isWhole(embeddedTree());
  }

  /** The tree with the regions of the first so many percent of its files owned, compiled into a folder. */
  tree(share: number): RunnableTree {
    const present = this.trees.get(share);
    if (present !== undefined) return present;
    const made = this.mixer.runnable({ selection: { share } });
    this.trees.set(share, made);
    return made;
  }

  /** Number of errors that the audit finds in it: lifetime bugs, but not its remarks on mixed forms. */
  bugs(share: number): number {
    const overlay = new Map(
      [...this.tree(share).texts].map(([path, text]) => [join(this.folder, path), text] as const),
    );
    const program = readProgram([...overlay.keys()], { overlay });
    return auditLifetimes(program.workspace, program.sources).filter(({ level }) => level === "error").length;
  }
}

function embeddedTree(): string {
  return join(projectRoot(), "emulator/hw/embedded");
}
