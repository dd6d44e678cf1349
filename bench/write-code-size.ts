/** Build step after compilation: stores the code sizes, which an installed package, without sources, cannot measure. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "#workloads";
import { measureSources, STORED_SIZES } from "./code-size.ts";

const sizes = measureSources(join(packageRoot(), "emulator", "hw"));
writeFileSync(STORED_SIZES, `${JSON.stringify(sizes, null, 1)}\n`);
