/** SiFive test finisher: writes to its register end or reset the machine. Source: SiFive test device, as in `virt`. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice } from "#qdev";

const REGISTER_BYTES = 0x1000;
const FINISHER = 0x0;

/** Low half of the value written; the high half is the exit code of a failure. */
const FAIL = 0x3333;
const PASS = 0x5555;
const RESET = 0x7777;

export class SifiveTest extends SysBusDevice {
  static override readonly typeName = "riscv.sifive.test";
  static override readonly vmState = { name: "riscv.sifive.test", version: 1, fields: {} };

  /** Register window. */
  private readonly iomem = this.embed(MemoryRegion);

  protected override realize(): void {
    this.iomem.initIo(this, ops, this, "riscv.sifive.test", REGISTER_BYTES);
    this.initMmio(this.iomem);
  }

  readRegister(): number {
    return 0;
  }

  writeRegister(offset: number, value: number): void {
    const code = value >>> 16;
    switch (offset === FINISHER ? value & 0xffff : 0) {
      case FAIL:
        this.model.requestShutdown({ kind: "fail", code });
        break;
      case PASS:
        this.model.requestShutdown({ kind: "poweroff", code: 0 });
        break;
      case RESET:
        this.model.requestShutdown({ kind: "reset", code: 0 });
        break;
      default:
        this.unimplementedWrite(offset, value);
    }
  }
}

const ops: MemoryRegionOps<SifiveTest> = {
  read: (test) => test.readRegister(),
  write: (test, offset, value) => test.writeRegister(offset, value),
  endianness: "little",
  valid: { minAccessSize: 2, maxAccessSize: 4 },
};
