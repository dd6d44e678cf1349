/** Kind of a region, as implied by its constructor. */
export const Shape = {
  Container: "container",
  Io: "io",
  Ram: "ram",
  Rom: "rom",
  RomDevice: "romdevice",
  Alias: "alias",
  Iommu: "iommu",
  /** No region: a child object. */
  Child: "child",
} as const;
export type Shape = (typeof Shape)[keyof typeof Shape];

/** One way to create a region: in place (`initIo`, a method) or newly allocated (`newIo`, a static method). */
export interface RegionConstructor {
  readonly init: string;
  readonly new: string;
  readonly shape: Shape;
}

/**
 * Pairs of constructors. Both take the same arguments in the same order; the method's own parameter names say which
 * argument is the owner and which the name.
 */
export const regionConstructors: readonly RegionConstructor[] = [
  { init: "init", new: "new", shape: Shape.Container },
  { init: "initIo", new: "newIo", shape: Shape.Io },
  { init: "initRam", new: "newRam", shape: Shape.Ram },
  { init: "initRamNomigrate", new: "newRamNomigrate", shape: Shape.Ram },
  { init: "initRamPtr", new: "newRamPtr", shape: Shape.Ram },
  { init: "initRamDevicePtr", new: "newRamDevicePtr", shape: Shape.Ram },
  { init: "initResizeableRam", new: "newResizeableRam", shape: Shape.Ram },
  { init: "initRamFromFile", new: "newRamFromFile", shape: Shape.Ram },
  { init: "initRom", new: "newRom", shape: Shape.Rom },
  { init: "initRomNomigrate", new: "newRomNomigrate", shape: Shape.Rom },
  { init: "initRomDevice", new: "newRomDevice", shape: Shape.RomDevice },
  { init: "initRomDeviceNomigrate", new: "newRomDeviceNomigrate", shape: Shape.RomDevice },
  { init: "initAlias", new: "newAlias", shape: Shape.Alias },
  { init: "initIommu", new: "newIommu", shape: Shape.Iommu },
];

export const constructorByInit: ReadonlyMap<string, RegionConstructor> = new Map(
  regionConstructors.map((each) => [each.init, each]),
);
export const constructorByNew: ReadonlyMap<string, RegionConstructor> = new Map(
  regionConstructors.map((each) => [each.new, each]),
);

/** Containers and aliases never occur in a flat view as ranges; all others are leaves. */
export function isLeaf(shape: Shape): boolean {
  return shape !== Shape.Container && shape !== Shape.Alias;
}
