/** The harts of one socket, and their reset vector. */

import { SysBusDevice, stringProperty, uintProperty } from "#qdev";
import { QomAbort } from "#qom";
import { RiscvHart } from "./riscv-hart.ts";

export class RiscvHartArray extends SysBusDevice {
  static override readonly typeName = "riscv.hart_array";
  static override readonly instanceSize: number = 840;
  static override readonly properties = [
    uintProperty<RiscvHartArray>("num-harts", "uint32", "numHarts"),
    uintProperty<RiscvHartArray>("hartid-base", "uint32", "hartidBase"),
    stringProperty<RiscvHartArray>("cpu-type", "cpuType"),
    uintProperty<RiscvHartArray>("resetvec", "uint32", "resetVector"),
  ];
  static override readonly vmState = { name: "riscv.hart_array", version: 1, fields: {} };

  numHarts = 1;
  hartidBase = 0;
  cpuType: string = RiscvHart.typeName;
  /** Address of the first instruction after a reset. */
  resetVector = 0x1000;
  private harts: RiscvHart[] = [];

  protected override realize(): void {
    this.harts = Array.from({ length: this.numHarts }, (_, index) => {
      const hart = this.model.create(RiscvHart);
      this.addChild("harts[*]", hart);
      hart.unref(); // the tree holds it from now on
      hart.hartId = this.hartidBase + index;
      hart.plug();
      return hart;
    });
  }

  protected override unrealize(): void {
    for (const hart of this.harts) hart.remove();
    this.harts = [];
  }

  /** @throws QomAbort when there is no such hart. */
  hart(index: number): RiscvHart {
    const hart = this.harts[index];
    if (hart === undefined)
      throw new QomAbort(`${this.describe()} has harts 0 to ${this.numHarts - 1}, not ${index}`);
    return hart;
  }
}
