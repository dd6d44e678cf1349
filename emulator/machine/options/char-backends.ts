/** Kinds of `-chardev`. */
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import {
  FileChar,
  NullChar,
  RingbufChar,
  SocketChar,
  type SocketPlace,
  StdioChar,
  StreamChar,
} from "#backends";
import { CommandError, OutputFile, outputPlace, tableOf, tell } from "#host";
import { bytesOf } from "../size.ts";
import type { BackendKind } from "./backend-kinds.ts";
import { OptionReader } from "./key-values.ts";

const LARGEST_RING = 2 ** 30;
/** Bytes that `sun_path` of `sockaddr_un` has for a path and its end: 108 on Linux, 104 on macOS. libuv cuts longer ones. */
const LONGEST_SOCKET_PATH = (process.platform === "linux" ? 108 : 104) - 1;
const LOOPBACK_NAMES = ["", "127.0.0.1", "localhost"];

export const nullChar: BackendKind = ({ text, id, properties }, model) => {
  new OptionReader(text, properties).end();
  const backend = new NullChar();
  model.chardevs.add(id, backend);
  return backend;
};

/** `file,path=F[,append=on]` */
export const fileChar: BackendKind = ({ text, id, properties }, model) => {
  const reader = new OptionReader(text, properties);
  const path = reader.require("path");
  const growing = reader.switch("append") ? "appended" : "emptied";
  reader.end();
  const output = new OutputFile("", path, {
    label: text.endsWith(path) ? text : `${text}: ${path}`,
    growing,
  });
  const backend = new FileChar(output);
  model.chardevs.add(id, backend);
  return {
    label: output.place.label,
    output: output.place,
    waits: () => output.waits,
    open: () => backend.ready(),
    start: () => backend.start(),
    congestion: () => backend.congestion(),
    close: () => backend.close(),
    ended: () => backend.ended(),
  };
};

/** `ringbuf[,size=N]`: keeps the last N bytes, by default 64 KiB. */
export const ringbufChar: BackendKind = ({ text, id, properties }, model) => {
  const reader = new OptionReader(text, properties);
  const size = bytesOf(reader.take("size") ?? "64K", "B") ?? 0;
  reader.end();
  if (!Number.isInteger(size) || size < 1 || size > LARGEST_RING || (size & (size - 1)) !== 0)
    throw reader.error("its size is not a power of 2; give size=65536, or another up to 2^30");
  const backend = new RingbufChar(size);
  model.chardevs.add(id, backend);
  return backend;
};

/** `pipe,path=P`: the named pipes P.in, which the guest reads, and P.out. */
export const pipeChar: BackendKind = ({ text, id, properties }, model) => {
  const reader = new OptionReader(text, properties);
  const path = reader.require("path");
  reader.end();
  const output = outputPlace(`${text}: ${path}.out`, `${path}.out`);
  const backend = new StreamChar();
  model.chardevs.add(id, backend);
  return {
    label: text,
    output,
    async open() {
      const input = openPipe(text, `${path}.in`, { readable: true, writable: false });
      backend.open(input, openPipe(text, `${path}.out`, { readable: false, writable: true }));
    },
    reachesHost: true,
    congestion: () => backend.congestion(),
    close: () => backend.close(),
    ended: () => ended(text, backend),
  };
};

/** Opens a named pipe so that neither this nor anything later waits for a program at its other end. */
function openPipe(text: string, path: string, use: { readable: boolean; writable: boolean }): Socket {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw pathError(text, path, error);
  }
  if (fstatSync(fd).isFIFO()) return new Socket({ fd, ...use }).on("error", () => {}); // "close" follows
  closeSync(fd);
  throw new CommandError(`${text}: ${path}: is not a named pipe; make one with mkfifo, or give another`);
}

/** Says of a closed line whose reader has stalled that not everything was taken. */
async function ended(text: string, backend: StreamChar): Promise<void> {
  const left = await backend.dropped();
  if (left > 0) tell(`${text}: its reader has stalled; ${left} bytes are lost`);
}

/**
 * `socket,path=P` or `socket,host=127.0.0.1,port=N`; with `server=on` it listens, and the guest starts once a client has
 * connected, unless `wait=off` is given.
 */
export const socketChar: BackendKind = ({ text, id, properties }, model) => {
  const reader = new OptionReader(text, properties);
  const [path, host, port] = [reader.take("path"), reader.take("host") ?? "", reader.take("port")];
  const isServer = reader.switch("server");
  const wait = reader.switch("wait", isServer);
  reader.end();
  const place = socketPlace(reader, path, host, port);
  if (wait && !isServer)
    throw reader.error("it connects, and has no client to wait for; leave wait=on out, or give server=on");
  const backend = new SocketChar();
  let waits = false;
  model.chardevs.add(id, backend);
  const where = "path" in place ? place.path : `port ${place.port}`;
  return {
    label: text,
    async open() {
      await (isServer ? backend.listen(place) : backend.connect(place)).catch((error: unknown) => {
        throw pathError(text, where, error);
      });
      if (!wait) return;
      tell(`${text}: waiting for a client; wait=off starts the guest without one`);
      waits = true;
      await backend.client;
      waits = false;
    },
    waits: () => waits,
    reachesHost: true,
    congestion: () => backend.congestion(),
    close: () => backend.close(),
    ended: () => ended(text, backend),
  };
};

/** `stdio[,signal=off]`: the terminal, which is otherwise the machine's console. */
export const stdioChar: BackendKind = ({ text, id, properties }, model) => {
  const reader = new OptionReader(text, properties);
  const signals = reader.switch("signal", true);
  reader.end();
  const backend = new StdioChar(signals);
  model.chardevs.add(id, backend);
  return { stdio: backend, close: () => backend.close() };
};

function socketPlace(
  reader: OptionReader,
  path: string | undefined,
  host: string,
  port: string | undefined,
): SocketPlace {
  if (path !== undefined && port === undefined) {
    if (path === "") throw reader.error("its path is empty; give path=P, or port=N");
    const length = Buffer.byteLength(path);
    if (length > LONGEST_SOCKET_PATH)
      throw reader.error(
        `its path has ${length} bytes, and a socket's has at most ${LONGEST_SOCKET_PATH}; give a shorter one, such as one relative to the current folder`,
      );
    return { path };
  }
  if (path !== undefined || port === undefined || !/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw reader.error("its address is missing or invalid; give path=P, or port=N");
  if (!LOOPBACK_NAMES.includes(host))
    throw reader.error(`host=${host} is not the loopback interface; give 127.0.0.1`);
  return { port: Number(port) };
}

function pathError(text: string, path: string, error: unknown): CommandError {
  const { code, message } = error as NodeJS.ErrnoException; // like all errors of node:fs and node:net
  return new CommandError(`${text}: ${path}: ${REASONS.get(code ?? "") ?? message}`);
}

const REASONS = tableOf<string>({
  ENOENT: "no such file or folder; make it first, or give another",
  EACCES: "no permission to use it; give another",
  EISDIR: "is a folder; give a file",
  EADDRINUSE: "the address is in use; give another",
  ECONNREFUSED: "nothing listens there; start the other side first, or give server=on",
});
