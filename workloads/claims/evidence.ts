import type { Hardware } from "#machine";

/** What claims need to know that only other parts of regionlab can count; counted when it is asked for. */
export interface Evidence {
  /** Size of each device that creates a region, in both trees. */
  readonly codeSize: () => readonly SizeOfDevice[];
  /** Reads of region fields by one access, in both forms. */
  /** Null where there are no sources to convert, as in the npm package. */
  readonly mixed: MixedDevices | null;
  readonly fieldReads: () => Promise<readonly { readonly embedded: number; readonly owned: number }[]>;
}

/** Device trees with the first so many percent of the files converted. */
export interface MixedDevices {
  readonly hardware: (share: number) => Promise<Hardware>;
  /** All that is observable of a small guest's run, as a text. */
  readonly boot: (share: number) => Promise<string>;
  /** Lifetime bugs that the audit finds in the sources. */
  readonly bugs: (share: number) => Promise<number>;
  /** The sources, by path. */
  readonly texts: (share: number) => Promise<ReadonlyMap<string, string>>;
}

interface SizeOfDevice {
  readonly embedded: SizeOfSource;
  readonly owned: SizeOfSource;
}

interface SizeOfSource {
  readonly regionFields: number;
  readonly lines: number;
}
