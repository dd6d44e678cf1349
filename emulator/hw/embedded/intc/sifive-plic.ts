/** Platform-level interrupt controller. Source: RISC-V PLIC specification 1.0.0; layout of SiFive and QEMU's `virt`. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { IrqLine, SysBusDevice, stringProperty, uintProperty, type VmState } from "#qdev";
import { QomError } from "#qom";

/** Offsets of a context's registers. */
const THRESHOLD = 0;
const CLAIM_COMPLETE = 4;

/** An interrupt target: one privilege mode of one hart. */
interface Context {
  readonly hart: number;
  readonly mode: "M" | "S";
}

/**
 * Sources 1 to `num-sources`; contexts as listed in `hart-config`, the modes of each hart ("MS,MS": M and S for two
 * harts).
 *
 * Two quirks of QEMU are kept because guests can see them: enabling a source does not deliver an interrupt that is
 * already pending, but the next change of any other state does; and any context may complete another's claim.
 */
export class SifivePlic extends SysBusDevice {
  static override readonly typeName = "riscv.sifive.plic";
  static override readonly instanceSize: number = 936;
  static override readonly properties = [
    stringProperty<SifivePlic>("hart-config", "hartConfig"),
    uintProperty<SifivePlic>("hartid-base", "uint32", "hartidBase"),
    uintProperty<SifivePlic>("num-sources", "uint32", "numSources"),
    uintProperty<SifivePlic>("num-priorities", "uint32", "numPriorities"),
    uintProperty<SifivePlic>("priority-base", "uint32", "priorityBase"),
    uintProperty<SifivePlic>("pending-base", "uint32", "pendingBase"),
    uintProperty<SifivePlic>("enable-base", "uint32", "enableBase"),
    uintProperty<SifivePlic>("enable-stride", "uint32", "enableStride"),
    uintProperty<SifivePlic>("context-base", "uint32", "contextBase"),
    uintProperty<SifivePlic>("context-stride", "uint32", "contextStride"),
    uintProperty<SifivePlic>("aperture-size", "uint32", "apertureSize"),
  ];
  static override readonly vmState = {
    name: "riscv.sifive.plic",
    version: 1,
    fields: {
      lines: "irqs",
      priorities: "uint32s",
      thresholds: "uint32s",
      pending: "uint32s",
      claimed: "uint32s",
      enabled: "uint32s",
    },
  } as const satisfies VmState;

  /** Register window. */
  private readonly iomem = this.embed(MemoryRegion);
  hartConfig = "MS";
  hartidBase = 0;
  /** Number of inputs; input 0 never interrupts. */
  numSources = 96;
  /** Highest priority; one less than a power of two. */
  numPriorities = 7;
  /** Offset of the priority of source 1. */
  priorityBase = 0x4;
  pendingBase = 0x1000;
  enableBase = 0x2000;
  /** Bytes from the enable bits of one context to those of the next. */
  enableStride = 0x80;
  contextBase = 0x20_0000;
  /** Bytes from the registers of one context to those of the next. */
  contextStride = 0x1000;
  apertureSize = 0x60_0000;
  /** Number of words needed for one bit per source. */
  private words = 0;
  private contexts: readonly Context[] = [];
  /** External interrupt line of each context. */
  private lines: readonly IrqLine[] = [];
  /** By source. The last source has a register but no input. */
  private priorities = new Uint32Array();
  /** By context. */
  private thresholds = new Uint32Array();
  private pending = new Uint32Array();
  private claimed = new Uint32Array();
  /** `words` words for each context. */
  private enabled = new Uint32Array();

  protected override realize(): void {
    this.contexts = parseHartConfig(this.hartConfig);
    this.iomem.initIo(this, ops, this, "riscv.sifive.plic", this.apertureSize);
    this.initMmio(this.iomem);
    this.words = (this.numSources + 31) >>> 5;
    this.priorities = new Uint32Array(this.numSources + 1);
    this.thresholds = new Uint32Array(this.contexts.length);
    this.pending = new Uint32Array(this.words);
    this.claimed = new Uint32Array(this.words);
    this.enabled = new Uint32Array(this.words * this.contexts.length);
    this.initGpioIn(this.numSources, (source, level) => this.setSource(source, level));
    this.lines = this.contexts.map(() => new IrqLine());
    for (const mode of ["S", "M"]) {
      for (const [index, line] of this.lines.entries()) {
        if (this.contexts[index]?.mode === mode) this.initGpioOut(line);
      }
    }
  }

  override reset(): void {
    for (const registers of [this.priorities, this.thresholds, this.pending, this.claimed, this.enabled]) {
      registers.fill(0);
    }
    for (const line of this.lines) line.lower();
  }

  readRegister(offset: number): number {
    if (offset >= this.contextBase) {
      const context = Math.floor((offset - this.contextBase) / this.contextStride);
      if (context < this.thresholds.length) {
        const register = (offset - this.contextBase) % this.contextStride;
        if (register === CLAIM_COMPLETE) return this.claim(context);
        if (register === THRESHOLD) return this.thresholds[context] as number; // context is in range
      }
    } else if (offset >= this.enableBase) {
      const index = this.enableIndex(offset);
      if (index >= 0) return this.enabled[index] as number; // index is in range
    } else if (offset >= this.pendingBase) {
      const word = (offset - this.pendingBase) >> 2;
      if (word < this.words) return this.pending[word] as number; // word is in range
    } else {
      const source = this.prioritySource(offset);
      if (source > 0) return this.priorities[source] as number; // source is in range
    }
    return this.unimplementedRead(offset);
  }

  writeRegister(offset: number, value: number): void {
    if (offset >= this.contextBase) {
      const context = Math.floor((offset - this.contextBase) / this.contextStride);
      if (context < this.thresholds.length) {
        const register = (offset - this.contextBase) % this.contextStride;
        if (register === CLAIM_COMPLETE) {
          this.complete(value);
          return;
        }
        if (register === THRESHOLD) {
          this.thresholds[context] = value % (this.numPriorities + 1);
          this.update();
          return;
        }
      }
    } else if (offset >= this.enableBase) {
      const index = this.enableIndex(offset);
      if (index >= 0) {
        this.enabled[index] = value;
        return;
      }
    } else if (offset < this.pendingBase) {
      const source = this.prioritySource(offset);
      if (source > 0) {
        this.priorities[source] = value % (this.numPriorities + 1);
        this.update();
        return;
      }
    }
    this.unimplementedWrite(offset, value);
  }

  /** Sets the level of a source. Once raised, it stays pending until it is claimed. */
  private setSource(source: number, level: boolean): void {
    if (!level) return;
    this.pending[source >> 5] = (this.pending[source >> 5] as number) | (1 << (source & 31)); // inputs are in range
    this.update();
  }

  /** Claims the most urgent interrupt of a context; returns its number, or 0. */
  private claim(context: number): number {
    const source = this.mostUrgent(context);
    if (source > 0) {
      const word = source >> 5;
      const bit = 1 << (source & 31);
      this.pending[word] = (this.pending[word] as number) & ~bit; // word is in range
      this.claimed[word] = (this.claimed[word] as number) | bit;
    }
    this.update();
    return source;
  }

  private complete(source: number): void {
    if (source >= this.numSources) return;
    const word = source >> 5;
    this.claimed[word] = (this.claimed[word] as number) & ~(1 << (source & 31)); // word is in range
    this.update();
  }

  /**
   * The pending source with the highest priority above a context's threshold, among those that it has enabled and that
   * are not claimed; the lowest number among equals; 0 if there is none.
   */
  private mostUrgent(context: number): number {
    let best = 0;
    let priority = this.thresholds[context] as number; // context is in range
    for (let word = 0; word < this.words; word++) {
      const enabled = this.enabled[context * this.words + word] as number; // in range, as all below
      let ready = (this.pending[word] as number) & ~(this.claimed[word] as number) & enabled;
      while (ready !== 0) {
        const source = word * 32 + (31 - Math.clz32(ready & -ready));
        const its = this.priorities[source] as number;
        if (its > priority) {
          best = source;
          priority = its;
        }
        ready &= ready - 1;
      }
    }
    return best;
  }

  private update(): void {
    for (let context = 0; context < this.lines.length; context++) {
      (this.lines[context] as IrqLine).set(this.mostUrgent(context) > 0); // context is in range
    }
  }

  /** Index into `enabled`, or -1 if there is no register at `offset`. */
  private enableIndex(offset: number): number {
    const context = Math.floor((offset - this.enableBase) / this.enableStride);
    const word = ((offset - this.enableBase) % this.enableStride) >> 2;
    return context < this.thresholds.length && word < this.words ? context * this.words + word : -1;
  }

  /** The source whose priority is at `offset`, or 0. */
  private prioritySource(offset: number): number {
    const source = ((offset - this.priorityBase) >> 2) + 1;
    return source <= this.numSources ? source : 0;
  }
}

/** @throws QomError unless the modes of each hart are M, S or both. */
function parseHartConfig(config: string): Context[] {
  return config.split(",").flatMap((modes, hart) => {
    if (!/^(M|S|MS|SM)$/.test(modes))
      throw new QomError(`hart-config "${config}": give M, S or MS for each hart, separated by commas`);
    return [...modes].map((mode) => ({ hart, mode: mode === "M" ? "M" : "S" }) as const);
  });
}

const ops: MemoryRegionOps<SifivePlic> = {
  read: (plic, offset) => plic.readRegister(offset),
  write: (plic, offset, value) => plic.writeRegister(offset, value),
  endianness: "little",
  valid: { minAccessSize: 4, maxAccessSize: 4 },
};
