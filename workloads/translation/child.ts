/** Entry of a process that runs one guest in one way: a request in JSON as its argument, a line of JSON for each point. */
import { follow, type RunRequest } from "./run.ts";

const request: RunRequest = JSON.parse(process.argv[2] ?? "null");
await follow(request, (sight) => process.stdout.write(`${JSON.stringify(sight)}\n`));
