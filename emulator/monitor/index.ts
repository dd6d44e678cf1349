/** Inspection and control of a machine from outside: the monitor, the trees and gdb. */

export { formatQomTree } from "./qom-tree.ts";
export { formatQtree } from "./qtree.ts";
export { runDebugging } from "./run-extension.ts";
export { addTreeCommand } from "./tree-command.ts";
