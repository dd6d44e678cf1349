/** What claims need to know that only other parts of regionlab can count; counted when it is asked for. */
export interface Evidence {
  /** Size of each device that creates a region, in both trees. */
  readonly codeSize: () => readonly SizeOfDevice[];
  /** Reads of region fields by one access, in both forms. */
  readonly fieldReads: () => Promise<readonly { readonly embedded: number; readonly owned: number }[]>;
}

interface SizeOfDevice {
  readonly embedded: SizeOfSource;
  readonly owned: SizeOfSource;
}

interface SizeOfSource {
  readonly regionFields: number;
  readonly lines: number;
}
