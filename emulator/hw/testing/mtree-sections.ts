/** What `info mtree` and `info mtree -f` list, of what our board and QEMU's both have. */

/** Regions of devices that do not exist here. */
const ABSENT_REGIONS = [
  "gpex_ioport_window",
  "gpex_ioport",
  "gpex_mmio",
  "gpex_mmio_window",
  "pcie-mmcfg-mmio",
  "pcie-ecam",
  "pcie-mmio",
  "pcie-mmio-high",
  "platform bus",
];
/** Address spaces of devices that do not exist here. */
const ABSENT_SPACES = ["gpex-root"];

/** Whether a line is about a region that does not exist here. */
export function isAbsentRegion(line: string): boolean {
  return ABSENT_REGIONS.some((name) => new RegExp(`(: (alias )?|[0-9a-f]{16} )${name}( @|$)`).test(line));
}

/** Paragraphs without the lines of absent regions; sorted and without numbers, as QEMU's order is that of a hash. */
export function mtreeSections(lines: readonly string[]): string[][] {
  return lines
    .filter((line) => !isAbsentRegion(line))
    .join("\n")
    .split(/\n\n+/)
    .map((section) => section.split("\n").filter((line) => line !== ""))
    .filter((section) => section.length > 0)
    .filter((section) => !ABSENT_SPACES.some((name) => section.some((line) => isOfSpace(line, name))))
    .map(([heading = "", ...rest]) => [heading.replace(/^FlatView #\d+$/, "FlatView"), ...rest])
    .sort((a, b) => (a.join() < b.join() ? -1 : 1));
}

/** QEMU lists `system` a second time, as the target of an alias in the PCI host. */
export function withoutTargets(sections: readonly string[][]): string[][] {
  return sections.filter(([heading]) => !heading?.startsWith("memory-region:"));
}

function isOfSpace(line: string, name: string): boolean {
  return line.startsWith(` AS "${name}",`) || line === `address-space: ${name}`;
}
