/** Timers whose callbacks use regions: they go on firing after the device has gone, unless unrealize cancels them. */
import type { ts } from "ts-morph";
import type { Frame, Source } from "../flow/index.ts";
import { Rule } from "./rules.ts";
import type { Target } from "./targets.ts";
import type { Watch } from "./watch.ts";

interface Use {
  readonly target: Target;
  readonly node: ts.Node;
}

export class Timers {
  /** `clock.timer(callback)` by the callback's function. */
  private readonly callbacks = new Map<ts.Node, ts.CallExpression>();
  private readonly uses = new Map<ts.Node, Use>();
  private readonly ended = new Set<ts.Node>();

  made(watch: Watch, node: ts.CallExpression, frame: Frame): void {
    const [callback] = node.arguments;
    if (callback === undefined) return;
    for (const { fn } of watch.callees.sources.functionsOf(callback, frame)) this.callbacks.set(fn, node);
  }

  /** `timer.cancel()` while the device is torn down. */
  cancelled(watch: Watch, timer: ts.Expression, frame: Frame): void {
    for (const source of watch.callees.sources.of(timer, frame))
      for (const each of [source, ...heldBy(watch, source)])
        if (each.kind === "expression") this.ended.add(each.node);
  }

  /** A use of a region: remembered with the callbacks that it may be in. */
  used(frame: Frame, target: Target, node: ts.Node): void {
    for (let each: Frame | undefined = frame; each !== undefined; each = each.caller)
      if (each.fn !== undefined && this.callbacks.has(each.fn) && !this.uses.has(each.fn))
        this.uses.set(each.fn, { target, node });
  }

  check(watch: Watch): void {
    for (const [fn, timer] of this.callbacks) {
      const use = this.uses.get(fn);
      if (use === undefined || this.ended.has(timer)) continue;
      watch.report(Rule.TimerNeverCancelled, use.node, use.target, [
        { node: timer, text: "by this timer, which unrealize does not cancel" },
      ]);
    }
  }
}

/** What a field holds, and what a collection in it holds. */
function heldBy(watch: Watch, source: Source): readonly Source[] {
  const held = watch.callees.sources.contents(source);
  if (source.kind !== "element") return held;
  return [...held, ...watch.callees.sources.contents(source.of)];
}
