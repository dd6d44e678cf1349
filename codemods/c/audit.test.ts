/** What the audit says of regions that are created while the machine runs: one device, and one way to create its region again. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { auditTree } from "./audit.ts";

const scratch = mkdtempSync(join(tmpdir(), "regionlab-c-audit-"));
const path = join(scratch, "beep.c");
afterAll(() => rmSync(scratch, { recursive: true }));

/** How a function comes to run again: text that registers it, behind it. */
const repeating = {
  "dc->reset": ["static void beep_again(DeviceState *dev)", "dev", "dc->reset = beep_again;"],
  "the hold phase": ["static void beep_again(Object *dev, int type)", "dev", "rc->phases.hold = beep_again;"],
  "the exit phase": ["static void beep_again(Object *dev, int type)", "dev", "rc->phases.exit = beep_again;"],
  "parent phases": [
    "static void beep_again(Object *dev, int type)",
    "dev",
    "resettable_class_set_parent_phases(rc, NULL, beep_again, NULL, &bc->parent_phases);",
  ],
  "a system reset": [
    "static void beep_again(void *opaque)",
    "opaque",
    "qemu_register_reset(beep_again, dc);",
  ],
  "a timer": [
    "static void beep_again(void *opaque)",
    "opaque",
    "timer_new_ns(QEMU_CLOCK_VIRTUAL, beep_again, dc);",
  ],
  "a bottom half": ["static void beep_again(void *opaque)", "opaque", "qemu_bh_new(beep_again, dc);"],
  "a register": [
    "static void beep_again(void *opaque, hwaddr addr, uint64_t val, unsigned size)",
    "opaque",
    "}\nstatic const MemoryRegionOps beep_ops = { .read = beep_read, .write = beep_again };\nstatic void beep_more(void)\n{",
  ],
  post_load: [
    "static int beep_again(void *opaque, int version_id)",
    "opaque",
    '}\nstatic const VMStateDescription vmstate = { .name = "beep", .post_load = beep_again };\nstatic void beep_more(void)\n{',
  ],
} as const;

const embedded = 'memory_region_init_io(&s->iomem, OBJECT(s), &ops, s, "a", 16);';
const owned = 's->tones = memory_region_new_alias(OBJECT(s), "t", s->other, 0, 16);';
const local = 'MemoryRegion *r = memory_region_new(OBJECT(s), "r", 16);';

/** The findings for a device whose function `beep_again` has a body, by rule, level and text. */
function findings(body: string, registration: readonly string[], more = ""): string[] {
  const [head = "", argument = "", text = ""] = registration;
  const lines = [
    "typedef struct BeepState {",
    "    DeviceState parent_obj;",
    "    MemoryRegion iomem;",
    "    MemoryRegion rows[4];",
    "    MemoryRegion *tones;",
    "    MemoryRegion *other;",
    "    uint32_t ctrl;",
    "} BeepState;",
    more,
    head,
    "{",
    `    BeepState *s = (BeepState *)${argument};`,
    body,
    "}",
    "static void beep_class_init(ObjectClass *klass, const void *data)",
    "{",
    "    DeviceClass *dc = DEVICE_CLASS(klass);",
    text,
    "    dc->realize = beep_realize;",
    "}",
    "",
  ];
  writeFileSync(path, lines.join("\n"));
  return auditTree([path]).map(({ rule, level, region }) => `${level} ${rule} ${region}`);
}

const asEmbedded = ["error created-again BeepState.iomem"];

describe.each(Object.entries(repeating))("%s", (_name, registration) => {
  test("initialises a live region again, in itself or in a function that it calls", () => {
    expect(findings(embedded, registration)).toEqual(asEmbedded);
    const helper = `static void beep_make(BeepState *s)\n{\n    ${embedded}\n}`;
    expect(findings("beep_make(s);", registration, helper)).toEqual(asEmbedded);
  });

  test("creates one more owned region each time", () => {
    expect(findings(owned, registration)).toEqual(["error created-again s->tones"]);
    expect(findings(local, registration)).toEqual(["error created-again r"]);
  });

  test("creates it once under a condition about the device, or again after it was unparented", () => {
    for (const make of [embedded, owned, local]) {
      expect(findings(`if (!s->ctrl) {\n${make}\n}`, registration)).toEqual([]);
      expect(findings(`if (s->ctrl) {\nreturn;\n}\n${make}`, registration)).toEqual([]);
      expect(findings(`uint32_t on = s->ctrl & 1;\nif (on) {\n${make}\n}`, registration)).toEqual([]);
    }
    const unparent = (region: string) => `object_unparent(OBJECT(${region}));\n`;
    expect(findings(unparent("s->tones") + owned, registration)).toEqual([]);
    expect(findings(unparent("s->other") + local, registration)).toEqual([]);
    expect(findings(unparent("s->other") + owned, registration)).toEqual(["error created-again s->tones"]);
  });
});

const { "a register": register } = repeating;

test("what the guest writes is no condition that keeps a region from being created again", () => {
  expect(findings(`if (val & 1) {\n${embedded}\n}`, register)).toEqual(asEmbedded);
  expect(findings(`switch (addr) {\ncase 4:\n${embedded}\nbreak;\n}`, register)).toEqual(asEmbedded);
  expect(findings(`unsigned reg = addr >> 2;\nif (reg == BEEP_CTRL) {\n${embedded}\n}`, register)).toEqual(
    asEmbedded,
  );
  expect(findings(`for (int i = 0; i < 4; i++) {\n${embedded}\n}`, register)).toEqual(asEmbedded);
});

test("a row of regions is created again if realize creates it, too", () => {
  const row = 'memory_region_init(&s->rows[addr], OBJECT(s), "row", 16);';
  expect(findings(row, register)).toEqual([]);
  expect(findings('memory_region_init(&s->rows[2], OBJECT(s), "row", 16);', register)).toEqual([
    "error created-again BeepState.rows",
  ]);
  const realize =
    'static void beep_realize(DeviceState *dev, Error **errp)\n{\n    BeepState *s = (BeepState *)dev;\n    for (int i = 0; i < 4; i++) {\n        memory_region_init(&s->rows[i], OBJECT(s), "row", 16);\n    }\n}';
  expect(findings(row, register, realize)).toEqual(["error created-again BeepState.rows"]);
});

test("storage that is new each time, and realize, say nothing", () => {
  expect(
    findings(`BeepState *t = g_new0(BeepState, 1);\n${embedded.replaceAll("s->", "t->")}`, register),
  ).toEqual([]);
  const realize = [
    "static void beep_again(DeviceState *dev, Error **errp)",
    "dev",
    "dc->realize = beep_again;",
  ];
  expect(findings(embedded, realize)).toEqual([]);
  expect(findings(owned, realize)).toEqual([]);
});

test("a function that is called twice for the same device creates its region again", () => {
  const once = ["static void beep_again(DeviceState *dev, Error **errp)", "dev", "dc->realize = beep_again;"];
  const helper = (make: string) => `static void beep_make(BeepState *s)\n{\n    ${make}\n}`;
  expect(findings("beep_make(s);", once, helper(embedded))).toEqual([]);
  expect(findings("beep_make(s);\nbeep_make(s);", once, helper(embedded))).toEqual(asEmbedded);
  expect(findings("beep_make(s);\nbeep_make(s);", once, helper(owned))).toEqual([
    "error created-again s->tones",
  ]);
  expect(findings("beep_make(s);\nbeep_make(s);", once, helper(local))).toEqual([]);
  const guarded = helper(`if (!s->ctrl) {\n${embedded}\ns->ctrl = 1;\n}`);
  expect(findings("beep_make(s);\nbeep_make(s);", once, guarded)).toEqual([]);
  expect(findings("beep_make(s);\nbeep_make(s + 1);", once, helper(embedded))).toEqual([]);
  expect(findings("if (s->ctrl)\nbeep_make(s);\nelse\nbeep_make(s);", once, helper(embedded))).toEqual([]);
});
