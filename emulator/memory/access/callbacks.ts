import type { MemoryRegion } from "../map/region.ts";
import { Access, dispatchRead, dispatchWrite } from "./dispatch.ts";

/**
 * The accesses of one address space that go through callbacks. A callback may make accesses of its own, so each that is
 * under way has a record of its own; the records are reused, so that accesses do not allocate.
 */
export class CallbackAccesses {
  /** The latest access. */
  readonly access = new Access();
  /** Record for the next access through callbacks. */
  private idle = new Access();

  /** Reads, leaving the value in `access`. A callback that throws loses its record. */
  read(region: MemoryRegion, offset: number, size: number): void {
    const { access } = this;
    if (region.flushesCoalesced) {
      const { attrs } = access; // the delivery makes accesses of its own
      region.model.flushCoalesced();
      access.attrs = attrs;
    }
    const { idle } = this;
    idle.inner ??= new Access();
    this.idle = idle.inner;
    idle.attrs = access.attrs;
    dispatchRead(region, offset, size, idle);
    this.idle = idle;
    access.low = idle.low;
    access.high = idle.high;
    access.result = idle.result;
  }

  /** Writes the value in `access`. */
  write(region: MemoryRegion, offset: number, size: number): void {
    const { access, idle } = this;
    if (region.flushesCoalesced) {
      const { low, high, attrs } = access; // the delivery makes accesses of its own
      region.model.flushCoalesced();
      Object.assign(access, { low, high, attrs });
    }
    idle.inner ??= new Access();
    this.idle = idle.inner;
    idle.attrs = access.attrs;
    idle.low = access.low;
    idle.high = access.high;
    dispatchWrite(region, offset, size, idle);
    this.idle = idle;
    access.result = idle.result;
  }
}
