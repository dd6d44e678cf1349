/** Devices and boards. */
import type { TypeRegistry } from "#qom";
import { PflashCfi01 } from "./block/pflash-cfi01.ts";
import { VirtioBlk } from "./block/virtio-blk.ts";
import { Serial } from "./char/serial.ts";
import { SerialMm } from "./char/serial-mm.ts";
import { VirtioSerial } from "./char/virtio-serial.ts";
import { VirtioSerialBus } from "./char/virtio-serial-bus.ts";
import { Virtconsole, Virtserialport } from "./char/virtio-serial-port.ts";
import { AclintSwi } from "./intc/riscv-aclint-swi.ts";
import { SifivePlic } from "./intc/sifive-plic.ts";
import { RamBackend } from "./mem/ram-backend.ts";
import { SifiveTest } from "./misc/sifive-test.ts";
import { VirtioNet } from "./net/virtio-net.ts";
import { FwCfgMem } from "./nvram/fw-cfg.ts";
import { RiscvHart } from "./riscv/riscv-hart.ts";
import { RiscvHartArray } from "./riscv/riscv-hart-array.ts";
import { VirtMachine } from "./riscv/virt.ts";
import { GoldfishRtc } from "./rtc/goldfish-rtc.ts";
import { AclintMtimer } from "./timer/riscv-aclint-mtimer.ts";
import { RngBuiltin } from "./virtio/rng-builtin.ts";
import { VirtioMmioBus } from "./virtio/virtio-bus.ts";
import { VirtioMmio } from "./virtio/virtio-mmio.ts";
import { VirtioRng } from "./virtio/virtio-rng.ts";

export { FLASH_BANKS, VIRT_MAX_HARTS } from "./riscv/virt-map.ts";

/** Registers the types of this tree with a machine. */
export function registerTypes(registry: TypeRegistry): void {
  registry.register(
    AclintMtimer,
    AclintSwi,
    FwCfgMem,
    GoldfishRtc,
    PflashCfi01,
    RamBackend,
    RiscvHart,
    RiscvHartArray,
    RngBuiltin,
    Serial,
    SerialMm,
    SifivePlic,
    SifiveTest,
    VirtioBlk,
    VirtioMmio,
    VirtioMmioBus,
    VirtioNet,
    VirtioRng,
    VirtioSerial,
    VirtioSerialBus,
    Virtconsole,
    Virtserialport,
    VirtMachine,
  );
}
