import { expect, it } from "vitest";
import { CommandError } from "./command-error.ts";

it("replaces characters in names that would act on a terminal", () => {
  const { message } = new CommandError("a\u001b[2J\u202eb.json: does not exist; check the name");
  expect(message).toBe("a\ufffd[2J\ufffdb.json: does not exist; check the name");
});

it.each([
  [": does not exist", "'': does not exist"],
  ["-o : is no file", "-o '': is no file"],
  ["bench : there is no such suite", "bench '': there is no such suite"],
  ["-o x: not : like this", "-o x: not : like this"],
])("shows an empty name as quotes: %s", (given, shown) => {
  expect(new CommandError(given).message).toBe(shown);
});
