/** Devices and boards. */
import type { TypeRegistry } from "#qom";
import { Serial } from "./char/serial.ts";
import { SerialMm } from "./char/serial-mm.ts";
import { AclintSwi } from "./intc/riscv-aclint-swi.ts";
import { SifivePlic } from "./intc/sifive-plic.ts";
import { SifiveTest } from "./misc/sifive-test.ts";
import { GoldfishRtc } from "./rtc/goldfish-rtc.ts";
import { AclintMtimer } from "./timer/riscv-aclint-mtimer.ts";

export { AclintMtimer, AclintSwi, GoldfishRtc, Serial, SerialMm, SifivePlic, SifiveTest };

/** Makes the types of this tree known to a machine. */
export function registerTypes(registry: TypeRegistry): void {
  registry.register(SifiveTest, GoldfishRtc, AclintSwi, AclintMtimer, SifivePlic, Serial, SerialMm);
}
