import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, it } from "vitest";
import { OneClient } from "./one-client.ts";

it("serves the next client after all that served the one before has heard of its end", async () => {
  const events: string[] = [];
  let served = 0;
  const clients = new OneClient((socket) => {
    const number = ++served;
    events.push(`begin ${number}`);
    socket.on("close", () => events.push(`end ${number}`));
    socket.on("data", (chunk) => socket.end(chunk));
  });
  const server = createServer({ pauseOnConnect: true }, (socket) => clients.take(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a server that listens on a TCP port has such an address
  const callers = [1, 2, 3].map(() => connect(port, "127.0.0.1"));
  const answers = callers.map(async (caller, index) => {
    caller.write(`from ${index}`);
    const [data] = await once(caller, "data");
    return String(data);
  });
  expect(await Promise.all(answers)).toEqual(["from 0", "from 1", "from 2"]);
  server.close();
  await once(server, "close");
  expect(events).toEqual(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
});
