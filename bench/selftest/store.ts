import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSelfTest, type SelfTest } from "#results";
import { packageRoot } from "#workloads";

/** The file with the rates of the self-test, which is part of the package. */
export const SELF_TEST_FILE = "results/selftest.json";

/** The rates of the latest self-test; null if there was none. @throws CommandError when the file is damaged */
export async function loadSelfTest(folder: string = packageRoot()): Promise<SelfTest | null> {
  const file = join(folder, SELF_TEST_FILE);
  const text = await readFile(file, "utf8").catch(() => null);
  return text === null ? null : parseSelfTest(text, file);
}
