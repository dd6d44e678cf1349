/**
 * Debian's kernel with virtio devices, on our machine and on QEMU: network, consoles, ports, entropy. The installer's
 * own modules drive them, loaded by its udev; the console driver is built into the kernel. The test types commands in
 * the installer's shell, whose output goes through `/dev/hvc0` into a file on the host.
 */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEBIAN_APPEND } from "./debian.ts";
import { converse } from "./testing/converse.ts";
import {
  type DebianMachine,
  debianCommand,
  debianMachines,
  type MachineOption,
  skipWhereMissing,
} from "./testing/debian-machines.ts";
import { type Difference, unexplained } from "./testing/differences.ts";
import { SHELL_PROMPT, TO_THE_SHELL } from "./testing/installer.ts";

const PATIENCE = 15 * 60_000;

/** A server in this process, which both networks can reach. */
const SERVER = "10.0.2.100";
/** A name that our name server knows; QEMU's asks the host's. */
const NAME = "server.test";
const TYPED = "typed by the host";

let folder: string;
let pages: HttpServer;
let line: Server;
/** Text that guests wrote on the line, by the machine that connected last. */
let heard = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-virtio-"));
  pages = createHttpServer(async (request, response) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part);
    response.end(request.method === "POST" ? Buffer.concat(parts) : `page ${request.url}\n`);
  });
  // QEMU connects at its start, and sends data once the guest does.
  pages.headersTimeout = 0;
  pages.requestTimeout = 0;
  line = createServer((caller) => {
    heard = "";
    caller.on("error", () => {}); // ended with its machine
    caller.on("data", (bytes) => {
      heard += bytes.toString("latin1");
    });
    caller.write(`${TYPED}\n`);
  });
  for (const server of [pages, line]) await once(server.listen(0, "127.0.0.1"), "listening");
});

afterAll(() => {
  pages.closeAllConnections();
  for (const server of [pages, line]) server.close();
  rmSync(folder, { recursive: true });
});

/** Kernel messages that may differ. */
const DIFFERENCES: readonly Difference[] = [
  [
    /^NODE_DATA|^Memory: |^initrd: |^OF: reserved mem:/,
    "QEMU's device tree is longer: it is at another address",
  ],
  [/^ {2}node +\d|^Early memory node/, "QEMU's device tree is longer: it is at another address"],
  [
    /^riscv: (base )?ISA extensions |^riscv: ELF capabilities/,
    "QEMU's processor has the hypervisor extension",
  ],
  [
    /^software IO TLB/,
    "ours announces zicbom, so the kernel prepares for devices that are not cache-coherent",
  ],
  [/pages initialised in \d+ms|^audit: type=2000|unaligned word access is/, "how long it took"],
  [/^pci|PCI host bridge|^pci_bus/, "ours has no PCI yet"],
  [/^goldfish_rtc .* setting system clock/, "QEMU's clock shows the time of day"],
  [
    /^riscv-pmu-sbi: 16 firmware and \d+ hardware counters/,
    "QEMU has 16 programmable counters, ours none yet",
  ],
];

const portOf = (server: Server) => (server.address() as AddressInfo).port; // it listens on a port

/** Commands to type, each with a name for its answer. */
const commands = ({ isQemu }: DebianMachine): readonly (readonly [name: string, command: string])[] => [
  ["messages", "dmesg"],
  ["devices", "for each in /sys/bus/virtio/devices/*; do cat $each/device $each/features; done"],
  ["ports", "cat /sys/class/virtio-ports/*/name"],
  ["entropy", "dd if=/dev/hwrng bs=16 count=1 2>/dev/null | wc -c"],
  ["lease", "udhcpc -i eth0 -n -q 2>&1; ip -4 addr show eth0; cat /etc/resolv.conf"],
  ["ping", "ping -c 2 10.0.2.2"],
  ["nobody", "ping -c 1 -W 1 10.0.2.77"],
  ["echo", `wget -q --post-file=/bin/busybox -O /tmp/back http://${SERVER}/echo; sha256sum < /tmp/back`],
  ["sent", "sha256sum < /bin/busybox; wc -c < /bin/busybox"],
  ...(isQemu ? [] : [["page", `wget -q -O - http://${NAME}/by-name`] as const]),
  ["heard", "read words < /dev/hvc1; echo $words; echo heard $words > /dev/hvc1"],
  ["agent", "echo from the agent > $(ls /dev/vport*p3); echo $?"],
];

function options({ isQemu }: DebianMachine, output: string): readonly MachineOption[] {
  const name = isQemu ? "" : `,x-host=${NAME}:${SERVER}`;
  return [
    ["global", "virtio-mmio.force-legacy=false"],
    ["netdev", `user,id=n,guestfwd=tcp:${SERVER}:80-tcp:127.0.0.1:${portOf(pages)}${name}`],
    ["device", "virtio-net-device,netdev=n"],
    ["device", "virtio-rng-device"],
    ["device", "virtio-serial-device"],
    ["chardev", `file,id=out,path=${output}`],
    ["device", "virtconsole,chardev=out"],
    ["chardev", `socket,id=both,host=127.0.0.1,port=${portOf(line)}`],
    ["device", "virtconsole,chardev=both"],
    ["chardev", `file,id=agent,path=${output}-agent`],
    ["device", "virtserialport,chardev=agent,name=org.example.agent,nr=3"],
  ];
}

interface Answers {
  /** Lines of each answer, by the command's name. */
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** Text received through the second console, and through the port. */
  readonly heard: string;
  readonly agent: string;
}

const runs = new Map<DebianMachine, Promise<Answers>>();

/** Boots a machine and types all commands, once. */
function answersOf(machine: DebianMachine): Promise<Answers> {
  const found = runs.get(machine) ?? run(machine);
  runs.set(machine, found);
  return found;
}

async function run(machine: DebianMachine): Promise<Answers> {
  const output = join(folder, machine.isQemu ? "qemu" : machine.name.replace(" ", "-"));
  const boot = { append: DEBIAN_APPEND, options: options(machine, output) };
  const typed = commands(machine).map(([name, command]) => ({
    expect: SHELL_PROMPT,
    send: `(echo "== ${name}"; ${command}) > /dev/hvc0\n`,
  }));
  const replies = [...TO_THE_SHELL, ...typed, { expect: SHELL_PROMPT, send: "echo all $((6*7)) done\n" }];
  await converse(...debianCommand(machine, boot), { replies, until: "all 42 done", patience: PATIENCE });
  const sections = readFileSync(output, "latin1").replaceAll("\r", "").split(/^== /m).slice(1);
  const answers = sections.map((section) => {
    const [name = "", ...lines] = section.trimEnd().split("\n");
    return [name, lines] as const;
  });
  return { answers: new Map(answers), heard, agent: readFileSync(`${output}-agent`, "latin1") };
}

describe.each(debianMachines)("Debian 13 with virtio devices on $name", (machine) => {
  const ask = async (name: string): Promise<string> =>
    (await answersOf(machine)).answers.get(name)?.join("\n") ?? "";

  it("gets an address, and reaches the gateway only", async (context) => {
    skipWhereMissing(context, machine);
    const lease = await ask("lease");
    expect(lease).toContain("lease of 10.0.2.15 obtained from 10.0.2.2");
    expect(lease).toContain("inet 10.0.2.15/24");
    expect(lease).toContain("nameserver 10.0.2.3");
    const ping = await ask("ping");
    expect(ping).toContain("2 packets transmitted, 2 packets received");
    expect(ping.match(/64 bytes from 10\.0\.2\.2: seq=\d ttl=255 /g)).toHaveLength(2);
    expect(await ask("nobody")).toContain("1 packets transmitted, 0 packets received");
  });

  it("exchanges a file with a server over TCP, intact in both directions", async (context) => {
    skipWhereMissing(context, machine);
    const [sum = "", size] = (await ask("sent")).split("\n");
    expect(sum).toMatch(/^[0-9a-f]{64} {2}-$/);
    expect(Number(size)).toBeGreaterThan(300_000);
    expect(await ask("echo")).toBe(sum);
    if (!machine.isQemu) expect(await ask("page")).toBe("page /by-name");
  });

  it("communicates with the host over consoles and a port", async (context) => {
    skipWhereMissing(context, machine);
    expect(await ask("heard")).toBe(TYPED);
    expect(await ask("ports")).toBe("org.example.agent");
    expect(await ask("agent")).toBe("0");
    const { agent, heard: words } = await answersOf(machine);
    expect(words).toContain(`heard ${TYPED}\r\n`);
    expect(agent).toBe("from the agent\n");
    expect(await ask("entropy")).toBe("16");
  });

  it("has the same devices, features and kernel messages as on QEMU", async (context) => {
    skipWhereMissing(context, machine);
    const [qemu] = debianMachines;
    if (qemu === undefined || machine === qemu) return;
    skipWhereMissing(context, qemu);
    const { answers: theirs } = await answersOf(qemu);
    expect(await ask("devices")).toBe(theirs.get("devices")?.join("\n"));
    const messages = (answers: Answers["answers"]) =>
      (answers.get("messages") ?? []).map((message) => message.replace(/^\[ *[\d.]+\] /, ""));
    const ours = messages((await answersOf(machine)).answers);
    expect(ours.length).toBeGreaterThan(100);
    // Sorted, since kernel threads print some messages at varying times.
    const whole = (lines: readonly string[]) => `${[...lines].sort().join("\n")}\n`;
    expect(unexplained(whole(ours), whole(messages(theirs)), DIFFERENCES)).toEqual([]);
  });
});
