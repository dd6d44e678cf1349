/**
 * Lives in which the form of the regions decides, each with what must come of it. Nothing here was read off a run: every
 * figure follows from a rule of QEMU's object model and memory core, which stands above it. QEMU's sources are those of
 * version 10.2.2: qom/object.c, system/memory.c, system/physmem.c, hw/core/qdev.c.
 *
 * Rules that most of them need:
 *
 * - An object ends in this order: its properties go, and with them its children; its finalizers run, those of the leaf type
 *   first; its storage is freed, if the object model allocated it. An embedded child's storage goes with its parent's.
 * - A region is a child of its owner, whose property holds its only reference. Who uses a region counts on the owner
 *   instead: containers of another owner, and, in a flat view, the root, each range and each section of the dispatch table.
 * - A flat view that is no longer shown is destroyed after a grace period, and then reads the owner of each of its regions.
 */
import { AddressSpace, MemoryRegion } from "#memory";
import { QomAbort } from "#qom";
import { type Lifetime, lifetime } from "./lifetime.ts";
import { COUNTED_WINDOWS, LEAF_OFFSET, REGION_BYTES, SPECIMEN_BYTES, WINDOW_BYTES } from "./specimens.ts";

/** Where devices are mapped. */
export const MAPPED_AT = 0x1000_0000;

/** All of them. Those named in pairs show a fault and its remedy. */
export function lifetimes(): readonly Lifetime[] {
  return [...touchedTooLate(), ...seenByAnOldView(), ...realizedAgain(), ...neverFreed()];
}

function touchedTooLate(): Lifetime[] {
  return [
    lifetime({
      name: "held-child",
      description:
        "Something holds a reference to a region, the device goes, and the holder then reads the region's size and drops the reference.",
      rule: "A reference to an embedded region does not keep the device's memory, in which it lies; a region with memory of its own survives until the last reference.",
      // The child's property is released, but at a count of 1 the region is not finalized. Embedded, it lies in the device's
      // block, which is freed: the read and the unref are two uses. Owned, its block is freed by that very unref.
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
      rule: "Children go before their owner's finalizers run: an embedded region is finalized by then and its memory still stands, an owned one is freed.",
      // Children first, finalizers second, storage third. The unparent itself does nothing: the parent is gone already.
      perRound: { embedded: { usesAfterFinalize: 2 }, owned: { usesAfterFree: 2 } },
      start: ({ specimens }) => {
        return () => specimens.tidy().remove();
      },
    }),
    lifetime({
      name: "alias-outlives-target",
      description:
        "A device ends a region at run time while the board still maps an alias of it; the board then removes the alias.",
      rule: "An alias takes no reference on its target, and removing it writes to the target: to finalized memory where the target is embedded, to freed memory where it is owned.",
      // Removing the alias follows the chain of targets: it counts down one field of the dead region, and reads another for
      // the next target. The view that showed the alias then reads the owner. Three in all.
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
        "A device removes a region of its own and ends it while a reader, in a grace period, is still using the old map; the old map is destroyed later.",
      rule: "A map counts on the owners of its regions and not on the regions: one that is ended at run time is dead under the reader, finalized where it is embedded, freed where it is owned.",
      // The reader loads what the callback is to get, the view's destruction loads the owner. The device lives, so that the
      // embedded region's storage stands, and its owner is still the right one: that use is harmless, the other is not.
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
        "At each reset a device ends a mapped region and makes it again, while the old map still awaits its destruction.",
      rule: "An embedded region is made again in the same memory, where the old map finds a live region; an owned one is made elsewhere, and the old map reads freed memory.",
      // The view's destruction loads the owner: of the region in the same storage, alive again, or of a freed one.
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
      rule: "A region that is only disabled keeps its life: the old map finds it alive in either form.",
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
        "A device destroys an address space of its own and at once ends the container that was the root of it; the map of that space is destroyed later.",
      rule: "QEMU's guide allows a container to be ended at any time, but the map still has it as its root: finalized where it is embedded, freed where it is owned.",
      // The view's destruction, and then that of the space, load the owner of the root: one field, so one use.
      perRound: { embedded: { usesAfterFinalize: 1 }, owned: { usesAfterFree: 1 } },
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
      rule: "Regions made when a device is realized stay its children until it ends: owned ones pile up, one more each time, while embedded ones are initialised again in the same memory.",
      // Unrealize does not end regions, and the next one gets the next index of the name.
      perRound: { embedded: {}, owned: { blocksUnfreed: 1, bytesUnfreed: REGION_BYTES } },
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
      description:
        "A device is unrealized, realized again and removed; if the object model aborts then, the device stays as it is.",
      rule: "Initialising a live embedded region forgets its references, but the older child property remains: when the device ends, the second release finds a count of 0, and QEMU aborts.",
      // Two properties name one region with a count of 1. The first release finalizes it; the second drops a reference of a
      // finalized object, the one use, which has none, the abort: the device's block is never freed.
      perRound: {
        embedded: { usesAfterFinalize: 1, blocksUnfreed: 1, bytesUnfreed: SPECIMEN_BYTES + REGION_BYTES },
        owned: {},
      },
      start: ({ specimens }) => {
        return () => {
          const device = specimens.plain();
          device.unplug();
          device.plug();
          unlessAborted(() => device.remove());
        };
      },
    }),
  ];
}

function neverFreed(): Lifetime[] {
  // An embedding device is one block, an owning one a block and one for each region: more blocks, the same bytes.
  const nestedBytes = SPECIMEN_BYTES + 2 * REGION_BYTES;
  return [
    lifetime({
      name: "same-owner-container",
      description:
        "A device with a region inside a container of its own is removed; containers count on the owner of what they hold, as before QEMU 10.2.",
      rule: "The device holds a reference to itself through its container, so it never ends, in either form; the owned form leaks it in more pieces.",
      sameOwnerExemption: false,
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
        "The remedy: the same device, where a container does not count on its own owner, as in QEMU since 10.2.",
      rule: "Without the reference to itself the device ends with the last one from outside, in either form.",
      sameOwnerExemption: true,
      perRound: { embedded: {}, owned: {} },
      start: ({ specimens }) => {
        return () => specimens.nested().remove();
      },
    }),
    lifetime({
      name: "forgotten-unmap",
      description: "A device is removed whose region is still mapped in the board's memory.",
      rule: "The board's container holds the device, so it never ends and the guest still reaches it, in either form; the owned form leaks it in two pieces.",
      // Each round covers the device of the round before, so that the view holds one of them; the container holds them all.
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
      description: "A device is removed one of whose regions was allocated by hand and initialised in place.",
      rule: "Initialising erases the note of how to free: such a region is finalized and never freed, whichever form the others have.",
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
      description: `A device is removed that learned when it was realized how many regions it has (${COUNTED_WINDOWS}), and whose finalizer does not free them by hand.`,
      rule: "Regions that cannot be fields of the device must be allocated by hand for the one constructor, which leaks them, while the other allocates them itself, and frees them.",
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

/** In QEMU the process would end here; the machine is left as it was at that moment. */
function unlessAborted(end: () => void): void {
  try {
    end();
  } catch (failure) {
    if (!(failure instanceof QomAbort)) throw failure;
  }
}
