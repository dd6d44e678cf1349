import { describe, expect, test } from "vitest";
import { MemTxResult } from "#memory";
import { loadTrees } from "./differential/trees.ts";
import { Probe, Rig } from "./testing/rig.ts";

const PENDING = 0x1000;
const priority = (source: number) => 4 * source;
const enable = (context: number, word = 0) => 0x2000 + 0x80 * context + 4 * word;
const threshold = (context: number) => 0x20_0000 + 0x1000 * context;
const claim = (context: number) => threshold(context) + 4;

/** Contexts of the first hart. */
const M = 0;
const S = 1;

describe.each(await loadTrees())("riscv.sifive.plic, $name", ({ tree }) => {
  /** Sources 1 and up are enabled for context M unless a test says otherwise. */
  function plic(properties = {}) {
    const rig = new Rig(tree);
    const device = rig.plug("riscv.sifive.plic", properties);
    const outputs = Array.from({ length: device.gpioOutputs }, () => new Probe());
    outputs.forEach((output, index) => {
      device.connectGpioOut(index, output);
    });
    const source = (index: number, level: boolean) => device.gpioIn(index).set(level);
    // Outputs of supervisor mode come first, then those of machine mode.
    return { rig, source, s: outputs[0] as Probe, m: outputs[outputs.length / 2] as Probe, outputs };
  }

  /** Enables `source` for context M and sets its priority to `level`. */
  function accept(rig: Rig, source: number, level = 1): void {
    const register = enable(M, source >> 5);
    rig.write(register, (rig.read(register) | (1 << (source & 31))) >>> 0);
    rig.write(priority(source), level);
  }

  test("delivers a source, which can be claimed once, and again after its next edge", () => {
    const { rig, source, m } = plic();
    accept(rig, 10);
    source(10, true);
    expect(m.level).toBe(true);
    expect(rig.read(PENDING)).toBe(1 << 10);
    expect(rig.read(claim(M))).toBe(10);
    expect(m.level).toBe(false);
    expect(rig.read(PENDING)).toBe(0);
    expect(rig.read(claim(M))).toBe(0);
    source(10, true);
    expect(m.level).toBe(false); // the gateway is closed until the completion
    rig.write(claim(M), 10);
    expect(m.level).toBe(true);
  });

  test("remembers an edge after the line has fallen", () => {
    const { rig, source, m } = plic();
    accept(rig, 5);
    source(5, true);
    source(5, false);
    expect(m.level).toBe(true);
    expect(rig.read(claim(M))).toBe(5);
  });

  test("claims yield the highest priority, the lowest number among equals", () => {
    const { rig, source } = plic();
    for (const [number, level] of [
      [3, 2],
      [40, 7],
      [7, 2],
      [95, 7],
    ] as const) {
      accept(rig, number, level);
      source(number, true);
    }
    const order = [1, 2, 3, 4, 5].map(() => rig.read(claim(M)));
    expect(order).toEqual([40, 95, 3, 7, 0]);
  });

  test("never delivers priority 0", () => {
    const { rig, source, m } = plic();
    accept(rig, 1, 0);
    source(1, true);
    expect(m.level).toBe(false);
    expect(rig.read(claim(M))).toBe(0);
    expect(rig.read(PENDING)).toBe(2);
  });

  test("delivers only priorities above the threshold", () => {
    const { rig, source, m } = plic();
    accept(rig, 1, 3);
    source(1, true);
    rig.write(threshold(M), 3);
    expect(m.level).toBe(false);
    expect(rig.read(claim(M))).toBe(0);
    rig.write(threshold(M), 2);
    expect(m.level).toBe(true);
  });

  test("keeps three bits of priorities and thresholds", () => {
    const { rig } = plic();
    rig.write(priority(9), 0xffff_ffff);
    rig.write(priority(10), 8);
    rig.write(threshold(S), 9);
    expect([rig.read(priority(9)), rig.read(priority(10)), rig.read(threshold(S))]).toEqual([7, 0, 1]);
  });

  test("delivers a pending source not when it is enabled, but at the next change of other state", () => {
    const { rig, source, m } = plic();
    rig.write(priority(10), 1);
    source(10, true);
    rig.write(enable(M), 1 << 10);
    expect(m.level).toBe(false);
    rig.write(priority(10), 2);
    expect(m.level).toBe(true);
  });

  test("serves contexts separately, and lets any of them complete another's claim", () => {
    const { rig, source, m, s } = plic();
    accept(rig, 4);
    rig.write(enable(S), 1 << 4);
    source(4, true);
    expect([m.level, s.level]).toEqual([true, true]);
    expect(rig.read(claim(S))).toBe(4);
    expect([m.level, s.level]).toEqual([false, false]);
    source(4, true);
    rig.write(claim(M), 4);
    expect([m.level, s.level]).toEqual([true, true]);
  });

  test("ignores the completion of sources that do not exist or were not claimed", () => {
    const { rig, source, m } = plic();
    accept(rig, 4);
    source(4, true);
    rig.read(claim(M));
    source(4, true);
    for (const other of [0, 3, 95, 96, 0xffff_ffff]) rig.write(claim(M), other);
    expect(m.level).toBe(false);
  });

  test("gives each hart its two contexts, or the modes that it is configured with", () => {
    const two = plic({ "hart-config": "MS,MS" });
    expect(two.outputs).toHaveLength(4);
    two.rig.write(enable(3), 1 << 6);
    two.rig.write(priority(6), 1);
    two.source(6, true);
    expect(two.outputs.map((output) => output.level)).toEqual([false, true, false, false]);
    expect(two.rig.read(claim(2))).toBe(0);
    expect(two.rig.read(claim(3))).toBe(6);
    expect(plic({ "hart-config": "M,MS" }).outputs).toHaveLength(3);
    expect(() => plic({ "hart-config": "MX" })).toThrow(/give M, S or MS/);
  });

  test("has read-only pending bits, and no registers beyond its sources and contexts", () => {
    const { rig } = plic();
    rig.write(PENDING, 0xffff_ffff);
    expect(rig.read(PENDING)).toBe(0);
    const absent = [0, priority(97), PENDING + 12, enable(M, 3), enable(2), threshold(2), threshold(M) + 8];
    for (const offset of absent) {
      rig.write(offset, 1);
      expect(rig.read(offset), `offset ${offset}`).toBe(0);
      expect(rig.result).toBe(MemTxResult.Ok);
    }
    rig.read(enable(M), 8);
    expect(rig.result).toBe(MemTxResult.DecodeError);
  });

  test("clears everything at reset", () => {
    const { rig, source, m } = plic();
    accept(rig, 4);
    rig.write(threshold(S), 5);
    source(4, true);
    rig.model.systemBus.reset();
    expect(m.level).toBe(false);
    for (const offset of [priority(4), PENDING, enable(M), threshold(S)]) expect(rig.read(offset)).toBe(0);
  });
});
