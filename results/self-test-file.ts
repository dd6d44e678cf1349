import { CommandError } from "#host";
import { readSelfTest } from "./parse.ts";
import { JsonReader } from "./reader.ts";
import type { SelfTest } from "./schema.ts";

/**
 * Reads the stored rates of a self-test.
 * @param file name for messages
 * @throws CommandError (exit code 2) when it is damaged
 */
export function parseSelfTest(text: string, file: string): SelfTest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CommandError(`${file}: is not JSON; run \`npm run bench:selftest\` again`, { cause });
  }
  return readSelfTest(new JsonReader(file, json));
}
