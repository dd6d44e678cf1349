/** Repeatable lifecycles of devices and machines, for the retention suite, which measures what they leave behind. */
import { Emulation } from "#machine";
import { MemoryRegion } from "#memory";
import { QomError, QomObject } from "#qom";
import { LiveMachine } from "./live-machine.ts";
import {
  type Scenario,
  type ScenarioRun,
  type ScenarioSetting,
  type ScenarioTally,
  tallyOf,
} from "./scenario.ts";

export type { Lifetime, LifetimeFigures } from "./lifetime.ts";
export { lifetimes } from "./lifetimes.ts";
export { PLUGGED } from "./live-machine.ts";
export type { Scenario, ScenarioRun, ScenarioSetting, ScenarioTally } from "./scenario.ts";

/** An owner that is not a device, for regions allocated by hand. */
class RegionHolder extends QomObject {
  static override readonly typeName = "region-holder";
}

/** All scenarios. The last is a control that leaks on purpose, in either form; a detector that misses it is broken. */
export function scenarios(): readonly Scenario[] {
  return [
    {
      name: "plug-unplug",
      description: "a device is plugged into a running machine, used, and unplugged",
      leaksPerRound: 0,
      start: (setting) => new LiveMachine(setting, (machine, device) => machine.unplug(machine.plug(device))),
    },
    {
      name: "unplug-mapped",
      description: "a device is unplugged while another still maps its memory, which is returned later",
      leaksPerRound: 0,
      start: (setting) =>
        new LiveMachine(setting, (machine, plugged) => {
          const device = machine.plug(plugged);
          const mapping = machine.lend();
          machine.unplug(device);
          expectUnreleased(machine, 1, "mapped");
          machine.giveBack(mapping);
          expectUnreleased(machine, 0, "mapped");
        }),
    },
    {
      name: "unplug-held",
      description: "a device is unplugged while a reader holds back the grace period",
      leaksPerRound: 0,
      start: (setting) =>
        new LiveMachine(setting, (machine, plugged) => {
          const device = machine.plug(plugged);
          const leave = machine.emulation.model.rcu.read();
          machine.unplug(device);
          expectUnreleased(machine, 1, "held");
          leave();
          machine.breathe();
          expectUnreleased(machine, 0, "held");
        }),
    },
    {
      name: "create-destroy",
      description: "a whole machine is created and destroyed",
      leaksPerRound: 0,
      start: (setting) => new MachineRounds(setting),
    },
    {
      name: "by-hand",
      description: "control: an owner ends whose region was allocated by hand and initialised in place",
      leaksPerRound: 1,
      start: (setting) =>
        new LiveMachine(setting, ({ emulation: { model } }) => {
          const holder = model.create(RegionHolder);
          model.allocate(MemoryRegion).init(holder, "by hand", 0x1000);
          holder.unref();
        }),
    },
  ];
}

/** The scenario of that name. @throws QomError that lists all names if there is none. */
export function scenario(name: string): Scenario {
  const all = scenarios();
  const found = all.find((each) => each.name === name);
  if (found === undefined) {
    throw new QomError(`unknown scenario "${name}"; give one of ${all.map((each) => each.name).join(", ")}`);
  }
  return found;
}

function expectUnreleased(machine: LiveMachine, count: number, why: string): void {
  if (machine.unreleased === count) return;
  throw new QomError(`${machine.unreleased} devices await their release, ${count} expected (${why})`);
}

/** Creates and destroys one machine per round, and adds up what they leave behind. */
class MachineRounds implements ScenarioRun {
  readonly releaseTimes: readonly number[] = [];
  private readonly setting: ScenarioSetting;
  private total: ScenarioTally = {
    liveBlocks: 0,
    liveBytes: 0,
    liveByType: {},
    usesAfterFinalize: 0,
    usesAfterFree: 0,
  };

  constructor(setting: ScenarioSetting) {
    this.setting = setting;
  }

  round(): void {
    const { hardware, checked } = this.setting;
    const emulation = new Emulation({
      hardware,
      ramBytes: 2 ** 20,
      model: checked === undefined ? {} : { checked },
    });
    emulation.destroy();
    this.total = sum(this.total, tallyOf(emulation));
  }

  tally(): ScenarioTally {
    return this.total;
  }

  finish(): ScenarioTally {
    return this.total;
  }
}

function sum(a: ScenarioTally, b: ScenarioTally): ScenarioTally {
  const liveByType: Record<string, number> = { ...a.liveByType };
  for (const [name, live] of Object.entries(b.liveByType)) liveByType[name] = (liveByType[name] ?? 0) + live;
  return {
    liveBlocks: a.liveBlocks + b.liveBlocks,
    liveBytes: a.liveBytes + b.liveBytes,
    liveByType,
    usesAfterFinalize: a.usesAfterFinalize + b.usesAfterFinalize,
    usesAfterFree: a.usesAfterFree + b.usesAfterFree,
  };
}
