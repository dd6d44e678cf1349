#!/usr/bin/env node
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";
import { keepCompiledCode } from "./code-cache.ts";

const require = nodeModule.createRequire(import.meta.url);
// Node 22.1 and later keep what they compile, in their folder for temporary files (see NODE_COMPILE_CACHE).
const { enableCompileCache } = nodeModule as { readonly enableCompileCache?: () => unknown };
if (enableCompileCache === undefined)
  keepCompiledCode(require, fileURLToPath(new URL("program", import.meta.url)));
else enableCompileCache();
require("./program.cjs");
