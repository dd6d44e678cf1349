/** What may be true of the regions and fields of one device at one point of its life. */
import { EMPTY_SETS, type Sets, sameSets, setAt, unitedSets, withSet } from "./sets.ts";

/** Where a region may stand; a set of these is a sum. Address spaces have `Absent`, `Free` and `Gone` only. */
export const Place = {
  /** Not created yet. */
  Absent: 1,
  /** Created; in no container that the class put it into. */
  Free: 2,
  /** In a container of the same device. */
  Own: 4,
  /** In a container of another owner. */
  Foreign: 8,
  /** Mapped by `mapMmio`. */
  Window: 16,
  /** Removed from a container. */
  Removed: 32,
  /** Unparented or destroyed. */
  Gone: 64,
} as const;

export const STANDING = Place.Free | Place.Own | Place.Foreign | Place.Window | Place.Removed;
/** Places that hold a reference to the device until it is left. */
export const HELD = Place.Foreign | Place.Window;

/** What a field may hold: nothing, or something. A Boolean counts as holding something while it is true. */
export const Content = { Empty: 1, Full: 2 } as const;

/**
 * One state. Places and fields are numbered by whoever tracks them; 0 stands for the initial value.
 * `quiet`: no reader can still see an earlier map, because a grace period has passed since it changed.
 */
export interface DeviceState {
  /** True for a state that no run reaches, such as the branch for an empty field that is never empty. */
  readonly unreachable: boolean;
  readonly places: Sets;
  readonly fields: Sets;
  readonly quiet: boolean;
}

export const NOWHERE: DeviceState = {
  unreachable: true,
  places: EMPTY_SETS,
  fields: EMPTY_SETS,
  quiet: false,
};
export const START: DeviceState = {
  unreachable: false,
  places: EMPTY_SETS,
  fields: EMPTY_SETS,
  quiet: false,
};

/** Joins and compares states; `initialField` is the content of a field that no code has touched. */
export class States {
  private readonly initialField: (index: number) => number;

  constructor(initialField: (index: number) => number) {
    this.initialField = initialField;
  }

  place(state: DeviceState, index: number): number {
    return setAt(state.places, index) || Place.Absent;
  }

  field(state: DeviceState, index: number): number {
    return setAt(state.fields, index) || this.initialField(index);
  }

  withPlace(state: DeviceState, index: number, set: number): DeviceState {
    if (this.place(state, index) === set) return state;
    return { ...state, places: withSet(state.places, index, set) };
  }

  withField(state: DeviceState, index: number, set: number): DeviceState {
    if (set === 0) return NOWHERE;
    if (this.field(state, index) === set) return state;
    return { ...state, fields: withSet(state.fields, index, set) };
  }

  join(one: DeviceState, other: DeviceState): DeviceState {
    if (one.unreachable || one === other) return other;
    if (other.unreachable) return one;
    const places = unitedSets(one.places, other.places, absent);
    const fields = unitedSets(one.fields, other.fields, this.initialField);
    const quiet = one.quiet && other.quiet;
    const same = places === one.places && fields === one.fields && quiet === one.quiet;
    return same ? one : { unreachable: false, places, fields, quiet };
  }

  equal(one: DeviceState, other: DeviceState): boolean {
    if (one === other) return true;
    if (one.unreachable !== other.unreachable || one.quiet !== other.quiet) return false;
    return (
      sameSets(one.places, other.places, absent) && sameSets(one.fields, other.fields, this.initialField)
    );
  }
}

function absent(): number {
  return Place.Absent;
}
