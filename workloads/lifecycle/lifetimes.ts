/**
 * Device lifecycles in which the form of the regions matters, each with its expected outcome. No figure was taken from
 * a run: each follows from the rule in the comment above it. The rules are those of QEMU 10.2.2, in qom/object.c,
 * system/memory.c, system/physmem.c and hw/core/qdev.c.
 *
 * Most of them are based on these three:
 *
 * - An object ends in this order: its properties are released, and with them its children; its finalizers run, from the
 *   leaf type to the root; its storage is freed, if the object model allocated it. An embedded child's storage is freed
 *   with its parent's.
 * - A region is a child of its owner, whose property holds its only reference. Users of a region take their references
 *   on the owner instead: a container of another owner, and, in a flat view, the root, each range and each section of
 *   the dispatch table.
 * - A flat view that is no longer current is destroyed after a grace period, and then reads the owner of each of its
 *   regions.
 */
import { AddressSpace, MemoryRegion } from "#memory";
import { type Lifetime, lifetime } from "./lifetime.ts";
import { COUNTED_WINDOWS, LEAF_OFFSET, REGION_BYTES, SPECIMEN_BYTES, WINDOW_BYTES } from "./specimens.ts";

/** Where devices are mapped. */
export const MAPPED_AT = 0x1000_0000;

/** All lifecycles; a fault is followed by its remedy, if there is one. */
export function lifetimes(): readonly Lifetime[] {
  return [...touchedTooLate(), ...seenByAnOldView(), ...realizedAgain(), ...neverFreed()];
}

function touchedTooLate(): Lifetime[] {
  return [
    lifetime({
      name: "held-child",
      description:
        "Something else holds a reference to a region; the device is removed, and only then does the holder read the region's size and drop its reference.",
      rule: "A reference to an embedded region does not keep the device's memory, in which the region lies; an owned region has memory of its own and lives until its last reference is dropped.",
      // Releasing the child property leaves a count of 1, so the region is not finalized. Embedded, it lies in the device's
      // block, which is freed: the read and the unref are two uses. Owned, that unref is the last one and frees its block.
      perRound: { embedded: { usesAfterFree: 2 }, owned: {} },
      start: ({ specimens }) => {
        return () => {
          const device = specimens.plain();
          const { window } = device;
          window.ref();
          device.remove();
          if (window.size > 0) window.unref();
        };
      },
    }),
    lifetime({
      name: "use-in-finalize",
      description: "A device's finalizer reads its region's size and unparents the region.",
      rule: "Children end before their owner's finalizers run: by then an embedded region is finalized, though its memory still stands, and an owned one has been freed.",
      // Two uses: the read, and the unparent, which does nothing because the region has no parent any more.
      perRound: { embedded: { usesAfterFinalize: 2 }, owned: { usesAfterFree: 2 } },
      start: ({ specimens }) => {
        return () => specimens.tidy().remove();
      },
    }),
    lifetime({
      name: "alias-outlives-target",
      description:
        "A device ends a region at run time while the board still maps an alias of it; the board then removes the alias.",
      rule: "An alias takes no reference on its target, and removing it writes to the target: if that is embedded, its memory still stands; if it is owned, the memory has been freed.",
      // Removing the alias walks its chain of targets: it decrements the dead region's count of mapped aliases and reads its
      // alias field to go on. The view that showed the alias then reads its owner. Three fields in all.
      perRound: { embedded: { usesAfterFinalize: 3 }, owned: { usesAfterFree: 3 } },
      start: ({ specimens, root, model }) => {
        return () => {
          const device = specimens.plain();
          const alias = MemoryRegion.newAlias(model.noOwner, "alias", device.window, 0, WINDOW_BYTES);
          root.addSubregion(MAPPED_AT, alias);
          device.window.unparent();
          root.delSubregion(alias);
          alias.unparent();
          device.remove();
        };
      },
    }),
  ];
}

function seenByAnOldView(): Lifetime[] {
  return [
    lifetime({
      name: "unparent-under-reader",
      description:
        "A device takes out one of its regions and ends it while a reader is still using the old map, which is destroyed later.",
      rule: "A map holds references to the owners of its regions, not to the regions, so the reader finds a dead one: if it is embedded, its memory still stands; if it is owned, the memory has been freed.",
      // Two fields: the reader loads the opaque, the view's destruction the owner. As the device lives on, an embedded
      // region's storage still exists and its owner is still correct, which is harmless in C, unlike a freed region.
      perRound: { embedded: { usesAfterFinalize: 2 }, owned: { usesAfterFree: 2 } },
      start: (machine) => {
        const { specimens, root, space, model } = machine;
        return () => {
          const device = specimens.nested();
          root.addSubregion(MAPPED_AT, device.container);
          const leave = model.rcu.read();
          const old = space.view;
          device.endLeaf();
          void old.find(MAPPED_AT + LEAF_OFFSET)?.region.opaque;
          leave();
          machine.settle();
          root.delSubregion(device.container);
          device.remove();
        };
      },
    }),
    lifetime({
      name: "remade-at-reset",
      description:
        "At each reset a device ends a mapped region and makes it again before the old map is destroyed.",
      rule: "An embedded region is made again in the same memory, so the old map finds a live region there; an owned one is made elsewhere, and the old map reads freed memory.",
      // The old view's destruction loads the owner of the old region: one field.
      perRound: { embedded: {}, owned: { usesAfterFree: 1 } },
      start: ({ specimens, root }) => {
        const device = specimens.nested();
        root.addSubregion(MAPPED_AT, device.container);
        return () => {
          device.endLeaf();
          device.makeLeaf();
        };
      },
    }),
    lifetime({
      name: "toggled-at-reset",
      description: "The remedy: at each reset a device disables its mapped region and enables it again.",
      rule: "A region that is merely disabled stays alive, so the old map finds a live region in either form.",
      perRound: { embedded: {}, owned: {} },
      start: ({ specimens, root }) => {
        const device = specimens.nested();
        root.addSubregion(MAPPED_AT, device.container);
        return () => {
          device.leaf.setEnabled(false);
          device.leaf.setEnabled(true);
        };
      },
    }),
    lifetime({
      name: "container-root-unparented-under-view",
      description:
        "A device destroys an address space of its own and immediately ends the container at its root; the map of that space is destroyed later.",
      rule: "QEMU's documentation lets a container be unparented at any time, yet a map may still have it as its root: if it is embedded, its memory still stands; if it is owned, the memory has been freed.",
      // Both the view and the space, when they are destroyed, load the owner of the root: one field, so one use. Embedded,
      // that read is defined in C, as finalization leaves the owner as it is, so it does not count.
      perRound: { embedded: {}, owned: { usesAfterFree: 1 } },
      start: ({ specimens, model }) => {
        return () => {
          const device = specimens.nested();
          new AddressSpace(model, device.container, "of its own").destroy();
          device.container.unparent();
          device.remove();
        };
      },
    }),
  ];
}

function realizedAgain(): Lifetime[] {
  return [
    lifetime({
      name: "re-realize",
      description: "A device is unrealized and realized again, and lives on.",
      rule: "Regions made at realize remain children of the device until it ends: owned ones pile up, one more each time, while an embedded one is initialised again in the same memory.",
      // Unrealizing does not end regions; the next one of the same name gets the next index.
      perRound: { embedded: {}, owned: { blocksHeld: 1, bytesHeld: REGION_BYTES } },
      start: ({ specimens }) => {
        const device = specimens.plain();
        return () => {
          device.unplug();
          device.plug();
        };
      },
    }),
    lifetime({
      name: "re-realize-then-remove",
      description: "A device is unrealized, realized again and removed.",
      rule: "Initialising a live embedded region resets its reference count, but the first child property remains: when the device ends, the second release finds a count of 0, and QEMU aborts.",
      // Two properties share one region with a count of 1. Releasing the first finalizes it; releasing the second unrefs a
      // finalized object (one use) that has no reference left (the abort). These devices sit on no bus: that of PCI would
      // refuse the second realize itself, in either form.
      perRound: { embedded: { aborts: 1, usesAfterFinalize: 1 }, owned: {} },
      start: ({ specimens }) => {
        return () => {
          const device = specimens.plain();
          device.unplug();
          device.plug();
          device.remove();
        };
      },
    }),
  ];
}

function neverFreed(): Lifetime[] {
  // With embedded regions a device is one block; with owned ones each region adds a block: more blocks, the same bytes.
  const nestedBytes = SPECIMEN_BYTES + 2 * REGION_BYTES;
  return [
    lifetime({
      name: "same-owner-container",
      description:
        "A device with a region inside a container of its own is removed; as before QEMU 10.2, a container takes a reference on the owner of each region in it.",
      rule: "Through its container the device holds a reference to itself and never ends, in either form; the owned form leaks the same bytes in more blocks.",
      references: "owner-7.2",
      perRound: {
        embedded: { blocksUnfreed: 1, bytesUnfreed: nestedBytes },
        owned: { blocksUnfreed: 3, bytesUnfreed: nestedBytes },
      },
      start: ({ specimens }) => {
        return () => specimens.nested().remove();
      },
    }),
    lifetime({
      name: "same-owner-container-exempt",
      description:
        "The remedy: the same device, but a container takes no reference on its own owner, as in QEMU since 10.2.",
      rule: "Without that reference to itself the device ends when the last one from outside is dropped, in either form.",
      perRound: { embedded: {}, owned: {} },
      start: ({ specimens }) => {
        return () => specimens.nested().remove();
      },
    }),
    lifetime({
      name: "forgotten-unmap",
      description: "A device is removed while its region is still mapped in the board's memory.",
      rule: "The board's container holds a reference to the device, which never ends and which the guest can still reach, in either form; the owned form leaks the same bytes in two blocks.",
      // Each round's device covers the last one's, so the view always shows exactly one; the container holds them all.
      perRound: {
        embedded: { blocksUnfreed: 1, bytesUnfreed: SPECIMEN_BYTES + REGION_BYTES },
        owned: { blocksUnfreed: 2, bytesUnfreed: SPECIMEN_BYTES + REGION_BYTES },
      },
      start: ({ specimens, root }) => {
        return () => {
          const device = specimens.plain();
          root.addSubregion(MAPPED_AT, device.window);
          device.remove();
        };
      },
    }),
    lifetime({
      name: "by-hand",
      description: "A device is removed that has a region allocated by hand and initialised in place.",
      rule: "Initialising in place erases the free callback, so such a region is finalized but never freed, whichever form the other regions have.",
      perRound: {
        embedded: { blocksUnfreed: 1, bytesUnfreed: REGION_BYTES },
        owned: { blocksUnfreed: 1, bytesUnfreed: REGION_BYTES },
      },
      start: ({ specimens, model }) => {
        return () => {
          const device = specimens.plain();
          model.allocate(MemoryRegion).init(device, "by hand", WINDOW_BYTES);
          device.remove();
        };
      },
    }),
    lifetime({
      name: "counted-at-realize",
      description: `A device is removed that learned only at realize how many regions it has (${COUNTED_WINDOWS}), and that does not free them by hand.`,
      rule: "Regions that cannot be fields of the device must be allocated by hand for memory_region_init, and are leaked; memory_region_new allocates them itself, and the object model frees them.",
      perRound: {
        embedded: { blocksUnfreed: COUNTED_WINDOWS, bytesUnfreed: COUNTED_WINDOWS * REGION_BYTES },
        owned: {},
      },
      start: ({ specimens }) => {
        return () => specimens.counted().remove();
      },
    }),
  ];
}
