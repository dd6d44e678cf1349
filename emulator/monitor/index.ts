/** What a person or a program asks a machine from outside. */

export { formatQomTree } from "./qom-tree.ts";
export { formatQtree } from "./qtree.ts";
export { runDebugging } from "./run-extension.ts";
export { addTreeCommand } from "./tree-command.ts";
