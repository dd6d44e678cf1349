import { TemporaryPool } from "../codegen/temporaries.ts";
import { LAYOUT } from "../hart/layout.ts";
import { UNIT_PARAMETERS, UNIT_RESULTS } from "../interpreter/generate.ts";
import {
  blockTo,
  branch,
  type Expression,
  i32,
  i64,
  Label,
  type Local,
  loop,
  type ModuleBuilder,
  returnCall,
  returnValue,
  type Statement,
  sequence,
  unreachable,
  when,
} from "../wasm/index.ts";
import { type Flow, type FlowNode, followed, isCall } from "./flow.ts";
import {
  includes,
  NO_REGISTERS,
  RegisterLocals,
  type RegisterSet,
  readBy,
  union,
  writtenBy,
} from "./registers.ts";
import { PLACE_UNCOUNT, UnitContext, type UnitFrame } from "./unit-context.ts";

/** Functions of the interpreter's module that units leave for: see its exports of these names. */
export interface UnitLinks {
  readonly jump: number;
  readonly finish: number;
}

/** Imports those functions into a module of units. */
export function importLinks(module: ModuleBuilder): UnitLinks {
  return {
    jump: module.importFunction("interpreter", "jump", UNIT_PARAMETERS, UNIT_RESULTS),
    finish: module.importFunction("interpreter", "finish", UNIT_PARAMETERS, UNIT_RESULTS),
  };
}

const AT_ZERO = i32.constant(0);
const PAGE_BYTES = 4096;

/** Where a unit's page is. */
export interface UnitPlace {
  /** WebAssembly address of the hart's block. */
  readonly stateOffset: number;
  /** WebAssembly address of the first record of the page. */
  readonly records: number;
}

/** Adds the function that executes a region, under `name`. */
export function generateUnit(
  module: ModuleBuilder,
  links: UnitLinks,
  name: string,
  flow: Flow,
  place: UnitPlace,
): void {
  new UnitGenerator(module, links, name, flow, place).generate();
}

/**
 * Generates one function for a region: guest registers become locals, loops become loops, and all other control flow
 * becomes blocks.
 *
 * Instructions are counted when their block begins. Only loop headers and the entry check whether enough are left for
 * the longest path to the next such check; if not, the interpreter executes the last ones, one by one. Thus the count
 * is exact whenever it can be observed.
 */
class UnitGenerator {
  private readonly flow: Flow;
  private readonly place: UnitPlace;
  private readonly frame: UnitFrame;
  private readonly links: UnitLinks;
  private readonly builder;
  private readonly pc: Local<"i64">;
  private readonly loops = new Map<FlowNode, Label>();
  private readonly joins = new Map<FlowNode, Label>();
  private readonly written: RegisterSet;
  private readonly dirtyAtStart: ReadonlyMap<FlowNode, RegisterSet>;
  /** Leaves for the address in `pc`. */
  private readonly chain = new Label("chain");

  constructor(module: ModuleBuilder, links: UnitLinks, name: string, flow: Flow, place: UnitPlace) {
    this.flow = flow;
    this.place = place;
    this.links = links;
    const builder = module.exportFunction(name, UNIT_PARAMETERS, UNIT_RESULTS);
    this.builder = builder;
    this.pc = builder.parameter(0, "i64");
    const { used, written } = registersOf(flow);
    this.written = written;
    this.dirtyAtStart = findDirty(flow);
    this.frame = {
      stateOffset: place.stateOffset,
      remaining: builder.parameter(1, "i32"),
      dataMode: builder.local("i64"),
      exitCode: builder.local("i32"),
      temporaries: new TemporaryPool(builder),
      exit: new Label("exit"),
      base: builder.local("i64"),
      registers: new RegisterLocals(builder, used, place.stateOffset),
      place: builder.local("i32"),
    };
  }

  generate(): void {
    const { flow, frame, pc, chain } = this;
    const { entry } = flow;
    this.builder.setBody(
      sequence(
        entry.isLoop ? sequence() : this.finishUnless(entry, sequence()),
        frame.base.set(i64.sub(pc.value, i64.constant(entry.block.offset))),
        frame.dataMode.set(i64.load(AT_ZERO, this.at(LAYOUT.dataMode))),
        frame.registers.load(),
        blockTo(
          frame.exit,
          sequence(
            blockTo(chain, this.tree(entry)),
            returnCall(this.links.jump, [pc.value, frame.remaining.value]),
          ),
        ),
        this.leave(),
      ),
    );
  }

  private at(field: number): number {
    return this.place.stateOffset + field;
  }

  /** Returns to TypeScript before the instruction at `place`. */
  private leave(): Statement {
    const { base, place, remaining, exitCode, registers } = this.frame;
    const offset = i32.and(place.value, i32.constant(PAGE_BYTES - 1));
    const uncounted = i32.shrU(place.value, i32.constant(PLACE_UNCOUNT));
    return sequence(
      registers.store(this.written),
      i64.store(AT_ZERO, i64.add(base.value, i64.extendU(offset)), this.at(LAYOUT.pc)),
      i32.store(
        AT_ZERO,
        i32.add(i32.constant(this.place.records), i32.shl(offset, i32.constant(2))),
        this.at(LAYOUT.record),
      ),
      i32.store(AT_ZERO, i32.add(remaining.value, uncounted), this.at(LAYOUT.remaining)),
      returnValue(exitCode.value),
    );
  }

  /** Lets the interpreter finish if too few instructions are left to reach the next such check from here. */
  private finishUnless({ block: { offset }, longestWay }: FlowNode, prepare: Statement): Statement {
    const { flow, frame, pc } = this;
    const here =
      offset === flow.entry.block.offset && !flow.entry.isLoop
        ? pc.value
        : i64.add(frame.base.value, i64.constant(offset));
    return when(
      i32.ltS(frame.remaining.value, i32.constant(longestWay)),
      sequence(prepare, returnCall(this.links.finish, [here, frame.remaining.value])),
    );
  }

  private tree(node: FlowNode): Statement {
    for (const join of node.joins) this.joins.set(join, new Label("join"));
    if (!node.isLoop) return this.within(node, node.joins);
    return loop("loop", (head) => {
      this.loops.set(node, head);
      const dirty = this.dirtyAtStart.get(node) ?? NO_REGISTERS;
      return sequence(
        this.finishUnless(node, this.frame.registers.store(dirty)),
        this.within(node, node.joins),
      );
    });
  }

  /** The node's own code inside blocks that end at its joins, the last join outermost. */
  private within(node: FlowNode, joins: readonly FlowNode[]): Statement {
    const [join, ...rest] = joins;
    if (join === undefined) return this.code(node);
    const label = this.joins.get(join) ?? new Label("join"); // created when the node was begun
    return sequence(blockTo(label, this.within(node, rest)), this.tree(join));
  }

  private code(node: FlowNode): Statement {
    const { frame } = this;
    const { instructions, end } = node.block;
    const count = instructions.length;
    let dirty = this.dirtyAtStart.get(node) ?? NO_REGISTERS;
    let last: UnitContext | undefined;
    const effects = instructions.map((placed, index) => {
      last = new UnitContext(frame, placed, count - index);
      dirty = union(dirty, writtenBy(placed.decoded));
      return last.effect();
    });
    const way = (): Statement => {
      switch (end.kind) {
        case "host":
          return unreachable;
        case "indirect":
          return this.follow(last?.destination ?? i64.constant(0), dirty);
        case "next":
          return this.go(node, end.offset, dirty);
        case "jump":
          return isCall(node.block) ? this.exitTo(end.offset, dirty) : this.go(node, end.offset, dirty);
        case "branch":
          return when(
            last?.condition ?? i32.constant(0),
            this.go(node, end.taken, dirty),
            this.go(node, end.next, dirty),
          );
      }
    };
    return sequence(
      frame.remaining.set(i32.sub(frame.remaining.value, i32.constant(count))),
      ...effects,
      way(),
    );
  }

  private go(from: FlowNode, offset: number, dirty: RegisterSet): Statement {
    const target = this.flow.target(from, offset);
    if (target === undefined) return this.exitTo(offset, dirty);
    if (target.order <= from.order) return branch(this.loops.get(target) ?? new Label("loop"));
    const join = this.joins.get(target);
    return join === undefined ? this.tree(target) : branch(join);
  }

  /** Leaves the unit for an address in this page, or near to it. */
  private exitTo(offset: number, dirty: RegisterSet): Statement {
    return this.follow(i64.add(this.frame.base.value, i64.constant(offset)), dirty);
  }

  private follow(target: Expression<"i64">, dirty: RegisterSet): Statement {
    return sequence(this.pc.set(target), this.frame.registers.store(dirty), branch(this.chain));
  }
}

function registersOf({ nodes }: Flow): { used: RegisterSet; written: RegisterSet } {
  let read = NO_REGISTERS;
  let written = NO_REGISTERS;
  for (const { block } of nodes) {
    for (const { decoded } of block.instructions) {
      read = union(read, readBy(decoded));
      written = union(written, writtenBy(decoded));
    }
  }
  return { used: union(read, written), written };
}

/** Registers that may differ from memory when a block begins. */
function findDirty({ nodes, target }: Flow): ReadonlyMap<FlowNode, RegisterSet> {
  const written = new Map(
    nodes.map((node) => [
      node,
      node.block.instructions.reduce((set, { decoded }) => union(set, writtenBy(decoded)), NO_REGISTERS),
    ]),
  );
  const dirty = new Map<FlowNode, RegisterSet>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of nodes) {
      const after = union(dirty.get(node) ?? NO_REGISTERS, written.get(node) ?? NO_REGISTERS);
      for (const offset of followed(node.block)) {
        const next = target(node, offset);
        if (next === undefined) continue;
        const before = dirty.get(next) ?? NO_REGISTERS;
        if (includes(before, after)) continue;
        dirty.set(next, union(before, after));
        changed = true;
      }
    }
  }
  return dirty;
}
