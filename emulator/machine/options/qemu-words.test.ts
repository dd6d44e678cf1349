import { describe, expect, it } from "vitest";
import { CommandError, HelpRequest } from "#host";
import { parseRtc } from "./machine-options.ts";
import { acceptedWords, fromQemu } from "./qemu-words.ts";

const KNOWN = new Set(["help", "kernel", "stats", "regions", "machine", "gdb", "timeout", "verbose"]);
const ours = (line: string) => fromQemu(line === "" ? [] : line.split(" "), KNOWN).words.join(" ");
const refusal = (line: string): string => {
  try {
    ours(line);
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
  throw new Error(`${line}: was accepted`);
};

describe("QEMU's options that work", () => {
  it.each([
    ["-machine virt -nographic -kernel k.elf", "--machine virt --kernel k.elf"],
    ["-M virt,acpi=off,aclint=off,aia=none -m 512M", "--machine virt -m 512M"],
    ["-M type=virt,usb=off,iommu-sys=auto", "--machine virt"],
    ["-m size=1G", "-m 1G"],
    ["-m 256", "-m 256"],
    ["-m512M -Mvirt", "-m512M -Mvirt"],
    ["-smp 4", "--smp 4"],
    ["-smp cpus=4,sockets=1,cores=4,threads=1", "--smp 4"],
    ["-smp 2,sockets=2,maxcpus=2", "--smp 2"],
    ["-smp sockets=2,cores=3", "--smp 6"],
    ["-smp maxcpus=4,sockets=2", "--smp 4"],
    ["-smp cpus=010", "--smp 8"],
    ["-smp cpus=0x3,maxcpus=+3", "--smp 3"],
    ["-cpu rv64", ""],
    ["-cpu max -display none -vga none -monitor none -parallel none", "--no-monitor"],
    ["-nodefaults -no-user-config -name guest -uuid 01234567-89ab-CDEF-0123-456789abcdef", ""],
    ["-bios default -append root=/dev/vda", "--bios default --append root=/dev/vda"],
    ["-serial mon:stdio -serial null", "--serial mon:stdio --serial null"],
    [
      "-drive file=a,if=none,id=hd -device virtio-blk-device,drive=hd",
      "--drive file=a,if=none,id=hd --device virtio-blk-device,drive=hd",
    ],
    [
      "-hda disk.img -pflash flash.img",
      "--drive if=virtio,index=0,file=disk.img --drive if=pflash,file=flash.img",
    ],
    ["-snapshot -no-reboot -s -S", "--snapshot --no-reboot -s --freeze"],
    ["-rtc base=utc", "--rtc base=utc"],
    ["-d guest_errors,unimp -D log", "--log guest_errors,unimp --log-file log"],
    ["-gdb tcp::1234", "--gdb 1234"],
    ["-gdb tcp:127.0.0.1:99,server=on,wait=off", "--gdb 99"],
    ["--gdb 0 --kernel k --regions owned", "--gdb 0 --kernel k --regions owned"],
    ["-regions owned -stats s.json", "--regions owned --stats s.json"],
    ["--machine=virt --stats=s", "--machine virt --stats=s"],
    ["--machine virt,acpi=off --smp cpus=2 --cpu=max --kernel=k", "--machine virt --smp 2 --kernel=k"],
    ["--gdb=tcp::7 --timeout 3", "--gdb 7 --timeout 3"],
    [
      "-nic user,hostfwd=tcp::2222-:22",
      "--netdev user,id=nic0,hostfwd=tcp::2222-:22 --device virtio-net-device,netdev=nic0",
    ],
    [
      "-nic user,id=n,mac=52:54:0:0:0:1",
      "--netdev user,id=n --device virtio-net-device,netdev=n,mac=52:54:0:0:0:1",
    ],
    ["-nic none -net none", ""],
    [
      "--blockdev=node-name=p0,driver=file,read-only=on,filename=code.fd -M virt,pflash0=p0",
      "--machine virt --drive if=pflash,format=raw,unit=0,id=p0,file=code.fd,readonly=on",
    ],
    [
      "-M virt,pflash1=p1 -blockdev driver=raw,node-name=p1,file.driver=file,file.filename=vars.fd",
      "--machine virt --drive if=pflash,format=raw,unit=1,id=p1,file=vars.fd",
    ],
    [
      "-blockdev file,node-name=hd,filename=a.img -device virtio-blk-device,drive=hd",
      "--drive if=none,format=raw,id=hd,file=a.img --device virtio-blk-device,drive=hd",
    ],
    ["-M help -cpu help -device help", "--machine help --cpu help --device help"],
    ["-M virt,help", "--machine virt,help"],
    ["-M ? -cpu ? -device ?", "--machine ? --cpu help --device ?"],
    ["-accel tcg -gdb none", "--gdb none"],
    ["-accel tcg,thread=multi,tb-size=256 -gdb none", "--gdb none"],
    ["", ""],
  ])("%s", (line, expected) => {
    expect(ours(line)).toBe(expected);
  });
});

describe("QEMU's options that do not", () => {
  it.each<[string, RegExp]>([
    ["-monitor stdio", /^-monitor stdio: the monitor shares the terminal, at Ctrl-A C; give -monitor none/],
    ["-display gtk", /^-display gtk: the board has no display; give -display none/],
    ["-vnc :0", /^-vnc: the board has no display/],
    ["-icount shift=0", /^-icount: guest time follows the instructions/],
    ["-dtb x.dtb", /^-dtb: the board generates its device tree/],
    ["-trace enable=x", /^-trace: .*--trace-mmio FILE/],
    ["-loadvm a", /^-loadvm: .*--snapshot-in FILE/],
    ["-accel kvm", /^-accel kvm: guest code is translated .*; give -accel tcg, or leave it out/],
    ["-uuid 1", /^-uuid 1: is not a UUID; give one, as /],
    ["-uuid 0123456789abcdef0123456789abcdef", /is not a UUID/],
    ["-uuid 01234567-89ab-cdef-0123-456789abcdeg", /is not a UUID/],
    ["-uuid 1 -uuid 01234567-89ab-cdef-0123-456789abcdef", /^-uuid 1: is not a UUID/],
    ["-enable-kvm", /^-enable-kvm: guest code is translated/],
    ["-cdrom a.iso", /^-cdrom: .*-drive file=FILE,if=virtio,readonly=on/],
    ["-M virt,acpi=on", /^-M virt,acpi=on: acpi=on is not supported; give acpi=off or auto/],
    ["-M virt,foo=1", /property foo is unknown; there are accel, aclint, acpi/],
    ["-M virt,pflash0=x", /^-M virt,pflash0=x: pflash0=x: there is no such node; give -blockdev node-name=x/],
    ["-m 1G,slots=2,maxmem=2G", /^-m 1G,slots=2,maxmem=2G: slots: memory cannot be hot-plugged/],
    ["-smp 2,maxcpus=4", /maxcpus=4: processors cannot be hot-plugged/],
    ["-smp sockets=2,clusters=2", /clusters=2: the machine has sockets, cores, threads only/],
    ["-smp 2,sockets=4", /the topology has 4 processors, or a multiple of that, not 2/],
    ["-smp 4,sockets=3", /the topology has 3 processors, or a multiple of that, not 4/],
    ["-smp 4,cores=3,threads=1", /the topology has 3 processors, or a multiple of that, not 4/],
    ["-smp 4,sockets=1,cores=2,threads=1", /the topology has 2 processors, not 4/],
    ["-smp cpus=x", /cpus=x is not a whole number from 1 up/],
    ["-smp cpus=08", /cpus=08 is not a whole number from 1 up/],
    ["-smp cpus=-1", /cpus=-1 is not a whole number from 1 up/],
    ["-smp 2,foo=1", /property foo is unknown/],
    ["-cpu sifive-u54", /^-cpu sifive-u54: there is only one kind of processor/],
    ["-cpu rv64,v=true", /property v: the processor's extensions are fixed/],
    ["-nic tap", /^-nic tap: the only network is QEMU's user mode/],
    ["-nic user,model=e1000", /the only network card is virtio's/],
    ["-net nic", /^-net nic: QEMU's old network options are not supported/],
    ["-gdb unix:/tmp/x", /^-gdb unix:\/tmp\/x: gdb connects to a TCP port/],
    ["-gdb tcp:0.0.0.0:1", /only programs on this computer may debug/],
    [
      "-blockdev driver=qcow2,node-name=a,filename=b",
      /driver=qcow2 cannot be used, only raw images can; convert it/,
    ],
    ["-accel tcg,foo=1", /^-accel tcg,foo=1: property foo is unknown; there are accel, one-insn-per-tb, /],
    ["-blockdev driver=file,filename=b", /node-name is missing/],
    ["-frobnicate", /^-frobnicate: unknown option; --help lists all of them/],
    ["-kernel", /^-kernel: its value is missing; give one after it/],
    ["-usb", /^-usb: the board has no USB/],
    ["--usb=on", /^--usb: the board has no USB/],
    ["--S=x", /^--S=x: the option takes no value; give --S/],
    ["--nographic=x", /^--nographic=x: the option takes no value; give --nographic/],
    ["--blockdev=driver=file,filename=b", /node-name is missing/],
    ["--blockdev=zzz,zzz", /^--blockdev=zzz,zzz: /],
    ["-blockdev", /^-blockdev: its value is missing; give one after it/],
  ])("%s", (line, message) => {
    expect(refusal(line)).toMatch(message);
    expect(refusal(line)).not.toContain("\n");
  });
});

it.each([
  ["-smp help", "smp options:\n  clusters=<value>\n  cores=<value>\n  cpus=<value>\n"],
  ["-smp 2,help", "smp options:\n  clusters=<value>\n"],
  ["-m help", "m options:\n  maxmem=<value>\n  size=<value>\n  slots=<value>\n"],
  ["-blockdev help", "blockdev options:\n"],
  ["-blockdev driver=help", "Supported values of driver: file raw\n"],
  ["-nic help", "Supported values of -nic: user none\n"],
  ["-display help", "Supported values of -display: none\n"],
  ["-accel ?", "Supported values of -accel: tcg\n"],
])("%s asks for help", (line, text) => {
  try {
    ours(line);
  } catch (error) {
    if (!(error instanceof HelpRequest)) throw error;
    expect(error.text.startsWith(text)).toBe(true);
    return;
  }
  throw new Error("there is none");
});

describe("words that shells complete", () => {
  const words = acceptedWords(new Set(["machine", "drive", "gdb", "freeze"]));

  it.each(words.map(({ word, takesValue }) => [word, takesValue] as const))(
    "%s is none that is refused",
    (word, takesValue) => {
      const known = new Set(["machine", "drive", "gdb", "freeze"]);
      const translate = () => fromQemu(takesValue ? [word, "1"] : [word], known);
      try {
        translate();
      } catch (error) {
        expect(String(error)).toContain(`${word} 1: `); // its value is wrong, not the word
      }
    },
  );

  it("are those whose option the command has, and those that ask for nothing", () => {
    const names = words.map(({ word }) => word);
    expect(names).toEqual(expect.arrayContaining(["-M", "-machine", "-hda", "-S", "-nographic", "-uuid"]));
    for (const absent of ["-kernel", "-d", "-vnc", "-icount"]) expect(names).not.toContain(absent);
  });
});

it.each([
  ["-d help", "--log help: unknown", "-d help: unknown"],
  ["-D a/b", "--log-file a/b: no folder", "-D a/b: no folder"],
  ["-kernel none", "--kernel none: no such file", "-kernel none: no such file"],
  ["-gdb tcp::70000", "--gdb 70000: no port", "-gdb tcp::70000: no port"],
  ["--gdb=tcp::70000", "--gdb 70000: no port", "--gdb=tcp::70000: no port"],
  ["-hda x", "-drive if=virtio,index=0,file=x: no such file", "-hda x: no such file"],
  ["-drive file=x", "-drive file=x: no such file", "-drive file=x: no such file"],
  [
    "-blockdev file,node-name=hd,filename=a -device virtio-blk-device,drive=hd",
    "-drive if=none,format=raw,id=hd,file=a: no such file",
    "-blockdev file,node-name=hd,filename=a: no such file",
  ],
  ["-kernel a", "--kernel ab: no such file", "-kernel ab: no such file"],
  ["-kernel a", "nothing to run", "nothing to run"],
  ["-machine foo", "-M foo: unknown", "-machine foo: unknown"],
  ["--memory 5Q", "-m 5Q: not a size", "--memory 5Q: not a size"],
  ["--memory=5Q", "-m 5Q: not a size", "--memory=5Q: not a size"],
  ["--memory 1M", "give more RAM with -m, or less", "give more RAM with --memory, or less"],
  ["-m5Q", "-m 5Q: not a size", "-m5Q: not a size"],
  ["-s", "--gdb 1234: the port is in use", "-s: the port is in use"],
  ["-S", "--freeze: nobody", "-S: nobody"],
  ["-snapshot-out f", "--snapshot-out: cannot be saved", "-snapshot-out: cannot be saved"],
  [
    "-D f -stats f",
    "--stats f: is the same file as --log-file f; x",
    "-stats f: is the same file as -D f; x",
  ],
  ["-D a", "unknown option '--log-file'", "unknown option '-D'"],
  ["--stats=f", "--stats f: is a folder", "--stats=f: is a folder"],
  ["-trace-mmio a", "--trace-mmio ab: x; --trace-mmio-x", "-trace-mmio ab: x; --trace-mmio-x"],
])("%s: a message names the option as the user wrote it", (line, message, expected) => {
  expect(fromQemu(line.split(" "), KNOWN).asWritten(message)).toBe(expected);
});

it.each([
  ["-M virt -machine accel=tcg", "--machine virt"],
  ["-machine usb=off -M virt", "--machine virt"],
  ["-M virt -machine acpi=on -M acpi=off", "--machine virt"],
  ["-machine accel=tcg", ""],
  ["-smp 4 -smp cores=2", "--smp 4"],
  ["-smp cores=2 -smp 4", "--smp 4"],
  ["-smp 4 -kernel a -smp 2", "--smp 2 --kernel a"],
  ["-m slots=0 -m 1G", "-m 1G"],
  ["-m 1G -m 2G", "-m 2G"],
])("%s: what is given several times is one list of properties, as in QEMU", (line, expected) => {
  expect(fromQemu(line.split(" "), KNOWN).words.join(" ")).toBe(expected);
});

it("a property of a list that is not supported is refused as it was written", () => {
  const list = ["-M", "virt", "-machine", "acpi=on"];
  expect(() => fromQemu(list, KNOWN)).toThrow(/^-M type=virt,acpi=on: acpi=on is not supported/);
});

it("a raw node may be made of another node", () => {
  const words = [
    ...["-blockdev", "driver=file,filename=a.img,node-name=f", "-blockdev", "driver=raw,file=f,node-name=r"],
    ...["-device", "virtio-blk-device,drive=r"],
  ];
  const { words: ours, warnings } = fromQemu(words, KNOWN);
  expect(ours).toContain("if=none,format=raw,id=r,file=a.img");
  expect(warnings).toEqual([]);
  expect(() => fromQemu(words.slice(2), KNOWN)).toThrow(
    /file=f: there is no such node; give -blockdev node-name=f/,
  );
});

it("nodes of -blockdev that nothing uses are said", () => {
  const disk = "file,node-name=hd,filename=a";
  const flash = "file,node-name=rom,filename=b";
  const warnings = (...words: string[]) =>
    fromQemu(["-blockdev", disk, "-blockdev", flash, ...words], KNOWN).warnings;
  expect(warnings()).toEqual([
    `warning: -blockdev ${disk}: no device uses it`,
    `warning: -blockdev ${flash}: no device uses it`,
  ]);
  expect(warnings("-device", "virtio-blk-device,drive=hd")).toEqual([
    `warning: -blockdev ${flash}: no device uses it`,
  ]);
  expect(warnings("-machine", "virt,pflash0=rom", "-device", "virtio-blk-device,drive=hd")).toEqual([]);
});

describe("-rtc", () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);

  it("is the host's time, or a date", () => {
    expect(parseRtc("base=utc", now)).toBe(BigInt(now) * 1_000_000n);
    expect(parseRtc("base=utc,clock=vm,driftfix=none", now)).toBe(BigInt(now) * 1_000_000n);
    expect(parseRtc("base=2026-01-02T03:04:05", 0)).toBe(BigInt(now) * 1_000_000n);
    expect(parseRtc("base=2026-01-02", 0)).toBe(BigInt(Date.UTC(2026, 0, 2)) * 1_000_000n);
  });

  it.each([
    "base=tomorrow",
    "base=2026-13-01",
    "base=2020-02-30",
    "base=2021-02-29",
    "clock=host",
    "foo=1",
    "driftfix=slew",
  ])("is not %s", (text) => {
    expect(() => parseRtc(text, now)).toThrow(CommandError);
    expect(() => parseRtc(text, now)).toThrow(/^-rtc .*; (give|there are)|leave it out/);
  });
});
