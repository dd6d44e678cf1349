/** What is known of the sources: the data that the passes hand on. */
import type { Tokens } from "./passes/1-lex.ts";
import type { Body } from "./statements.ts";

/** A type as far as it matters: what it is made of, how many pointers and how many dimensions deep. */
export interface TypeRef {
  readonly base: string | Struct;
  readonly pointers: number;
  readonly dimensions: number;
}

export interface Member {
  readonly name: string;
  readonly type: TypeRef;
  readonly struct: Struct;
  readonly nameToken: number;
  /** First token of the declaration, which may declare several members. */
  readonly first: number;
  /** Its semicolon. */
  readonly last: number;
  /** How many members the declaration declares. */
  readonly declarators: number;
}

export interface Struct {
  readonly file: Source;
  /** Tag, or "" if it has none. */
  readonly tag: string;
  /** Name for people: a typedef if there is one. */
  name: string;
  readonly isUnion: boolean;
  readonly open: number;
  readonly close: number;
  readonly members: Map<string, Member>;
  /** Names that several members have, in branches of an `#if`; the last one is in `members`. */
  readonly repeated: Set<string>;
  /** The struct that it is nested in. */
  readonly outer: Struct | undefined;
}

export interface Parameter {
  readonly name: string;
  readonly type: TypeRef;
  readonly first: number;
  readonly nameToken: number;
  /** The comma or bracket after it. */
  readonly last: number;
}

/** A function's head: of a definition or of a prototype. */
export interface Signature {
  readonly file: Source;
  readonly name: string;
  readonly isStatic: boolean;
  readonly returns: TypeRef;
  /** First token of the declaration. */
  readonly first: number;
  readonly nameToken: number;
  /** Opening bracket of the parameters. */
  readonly open: number;
  readonly close: number;
  readonly parameters: readonly Parameter[];
}

export interface FunctionBody extends Signature {
  /** Opening and closing brace of the body. */
  readonly bodyOpen: number;
  readonly bodyClose: number;
  /** Its statements, once they have been asked for. */
  body?: Body;
}

export interface Define {
  readonly name: string;
  readonly parameters: readonly string[] | undefined;
  /** Offsets of the body. */
  readonly start: number;
  readonly end: number;
}

export interface Source {
  /** Relative to the tree, with slashes. */
  readonly path: string;
  readonly tokens: Tokens;
  readonly structs: Struct[];
  readonly typedefs: Map<string, TypeRef>;
  /** Macros and inline functions of QOM that cast: `FOO(obj)` to `Foo`. */
  readonly casts: Map<string, string>;
  readonly functions: FunctionBody[];
  readonly prototypes: Signature[];
  readonly globals: Map<string, TypeRef>;
  readonly defines: Map<string, Define>;
  readonly includes: readonly string[];
}

/** All sources, with indexes over them. */
export interface Program {
  readonly root: string;
  readonly sources: ReadonlyMap<string, Source>;
  /** Texts that were read but need no tokens, since nothing in them can matter. */
  readonly others: ReadonlyMap<string, string>;
}

/** Line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
