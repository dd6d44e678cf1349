/** The cases of the dispatch suite by name, grouped by process. Loads none of them. */

/** Regions on maps of growing size. */
const MAP_SIZES = [10, 100, 1_000, 10_000, 100_000];

/** The groups, each measured in its own processes, with the names of their works. */
export function dispatchGroups(quick: boolean): [name: string, works: string[]][] {
  const groups: [string, string[]][] = [
    [
      "paths",
      [
        ...["floor", "hit-read", "hit-write", "miss"],
        ...(quick ? [] : ["turns", "nested", "aliases", "size-1", "size-2", "size-8"]),
      ],
    ],
    ["board", ["uart-guest", ...(quick ? [] : ["uart-host", "ram-guest"])]],
  ];
  if (!quick) {
    groups.push(["maps", ["floor", ...MAP_SIZES.map((count) => `map-${count}`), "map-floor"]]);
    // In separate processes: earlier allocations affect where the regions lie in memory.
    for (const count of MAP_SIZES) groups.push([`uncopied-${count}`, [`uncopied-${count}`]]);
  }
  return groups.map(([name, works]) => [name, works.map((work) => `dispatch/${work}`)]);
}
