import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { addApi } from "./add-api.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const HEADER = "include/system/memory.h";
const SOURCE = "system/memory.c";
const MANUAL = "docs/devel/memory.rst";

/** A tree of our own that has the shapes of QEMU's memory API. */
const MINI: Readonly<Record<string, string>> = {
  [HEADER]: `void memory_region_init(MemoryRegion *mr, Object *owner, const char *name, uint64_t size);
#ifdef CONFIG_POSIX
bool memory_region_init_ram(MemoryRegion *mr,
                            Object *owner,
                            const char *name,
                            uint64_t size,
                            Error **errp);
#endif
`,
  [SOURCE]: `static void memory_region_do_init(MemoryRegion *mr, Object *owner,
                                  const char *name, uint64_t size)
{
    mr->size = size;
}

void memory_region_init(MemoryRegion *mr, Object *owner,
                        const char *name, uint64_t size)
{
    object_initialize(mr, sizeof(*mr), TYPE_MEMORY_REGION);
    memory_region_do_init(mr, owner, name, size);
}

bool memory_region_init_ram(MemoryRegion *mr, Object *owner,
                            const char *name, uint64_t size, Error **errp)
{
    memory_region_init(mr, owner,
                       name, size);
    return give_ram(mr, errp);
}
`,
  [MANUAL]: `Memory
======

Overlapping regions and priority
--------------------------------
Text.
`,
};

function tree(changes: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "regionlab-api-"));
  folders.push(root);
  for (const [path, text] of Object.entries({ ...MINI, ...changes })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const textAfter = (root: string, path: string, direction: "owned" | "embedded" = "owned"): string =>
  addApi(root, direction).files.get(path)?.after ?? "";

describe("add-api", () => {
  it("adds a constructor for each init function, inside the same condition", () => {
    const root = tree();
    expect(addApi(root, "owned").added).toEqual(["memory_region_new", "memory_region_new_ram"]);
    const header = textAfter(root, HEADER);
    expect(header.indexOf("*memory_region_new_ram(")).toBeLessThan(header.indexOf("#endif"));
  });

  it("lets both forms share what they do to the storage", () => {
    const source = textAfter(tree(), SOURCE);
    expect(source.match(/give_ram/g)).toHaveLength(1);
    expect(source).toContain("memory_region_do_init(mr, owner,\n                          name, size);");
    expect(source).toContain("if (!memory_region_do_init_ram(mr, owner, name, size, errp)) {");
  });

  it("adds nothing the second time", () => {
    const root = tree();
    for (const [path, { after: text }] of addApi(root, "owned").files) writeFileSync(join(root, path), text);
    expect(addApi(root, "owned")).toEqual({ added: [], files: new Map() });
  });

  it("replaces the manual's section if the direction changes", () => {
    const root = tree();
    writeFileSync(join(root, MANUAL), textAfter(root, MANUAL));
    const manual = textAfter(root, MANUAL, "embedded");
    expect(manual.match(/^Storage of regions$/gm)).toHaveLength(1);
    expect(manual).toContain("New code embeds its regions");
  });

  it.each([
    ["no init", { [HEADER]: "int x;\n" }, /does not declare memory_region_init/],
    ["no shared function", { [SOURCE]: "int x;\n" }, /has no memory_region_do_init/],
    [
      "a void function that can fail",
      { [HEADER]: `${MINI[HEADER]}`.replace("bool", "void") },
      /returns void, so a caller cannot tell that it failed/,
    ],
    [
      "another constructor of that name",
      { [HEADER]: `${MINI[HEADER]}MemoryRegion *memory_region_new(Object *owner);\n` },
      /declares memory_region_new with other parameters/,
    ],
    ["no place in the manual", { [MANUAL]: "Memory\n" }, /has no section/],
  ])("refuses a tree with %s", (_, changes, message) => {
    expect(() => addApi(tree(changes), "owned")).toThrow(message);
  });
});
