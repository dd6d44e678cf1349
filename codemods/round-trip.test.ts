import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generatedSources } from "./testing/generated-devices.ts";
import { Converter } from "./testing/golden-project.ts";

const path = "generated.ts";
const converter = new Converter();

describe("generated devices", () => {
  test("come back byte for byte, and a second conversion changes nothing", () => {
    fc.assert(
      fc.property(generatedSources, (embedded) => {
        const owned = converter.convert(path, "to-owned", embedded);
        expect(owned.sites.filter(({ outcome }) => outcome !== "converted")).toEqual([]);
        expect(owned.notes).toEqual([]);
        expect(owned.after).not.toContain("this.embed(");
        expect(converter.convert(path, "to-embedded", owned.after).after).toBe(embedded);
        expect(converter.convert(path, "to-owned", owned.after).after).toBe(owned.after);
      }),
      { numRuns: 60, seed: 20261122 },
    );
  });

  test("compile in both forms", () => {
    for (const embedded of fc.sample(generatedSources, { numRuns: 15, seed: 7 })) {
      expect(converter.diagnose(path, embedded)).toEqual([]);
      const owned = converter.convert(path, "to-owned", embedded).after;
      expect(converter.diagnose(path, owned)).toEqual([]);
    }
  });
});
