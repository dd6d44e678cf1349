#!/usr/bin/env node
import * as nodeModule from "node:module";

// Node 22.1 and later keep what they compile, in their folder for temporary files (see NODE_COMPILE_CACHE).
const { enableCompileCache } = nodeModule as { readonly enableCompileCache?: () => unknown };
enableCompileCache?.();
nodeModule.createRequire(import.meta.url)("./program.cjs");
