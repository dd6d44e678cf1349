/** Complete machines: options, images, the run loop, and the results of a run. */
export { ConsoleLog, type ConsoleReply } from "./console-log.ts";
export {
  DEFAULT_WALL_CLOCK,
  type DebugStop,
  Emulation,
  type EmulationOptions,
  type RunEnd,
  type RunLimits,
} from "./emulation.ts";
export { NANOSECONDS_PER_INSTRUCTION } from "./guest-time.ts";
export {
  type Hardware,
  loadHardware,
  loadHardwareFrom,
  type OwnHardware,
  REGION_FORMS,
  REGION_STORAGES,
  type RegionForm,
  type RegionStorage,
} from "./hardware.ts";
export type { BootFiles } from "./images.ts";
export { type BackendKind, CHARDEV_KINDS, type HostResource, NETDEV_KINDS } from "./options/backend-kinds.ts";
export {
  addHardwareOptions,
  type BackendOption,
  type HardwareArguments,
  type HardwareOptions,
  parseHardwareOptions,
} from "./options/hardware-options.ts";
export {
  addMachineOptions,
  type MachineArguments,
  machineOptions,
  parseMachine,
  parseRegions,
} from "./options/machine-options.ts";
export { type AcceptedWord, acceptedWords, fromQemu } from "./options/qemu-words.ts";
export {
  addRunOptions,
  parseRunOptions,
  type RunArguments,
  requireNoOutputs,
} from "./options/run-options.ts";
export {
  addRunCommand,
  type RunConnection,
  type RunExtension,
} from "./run-command.ts";
export { type Pause, RunControl } from "./run-control.ts";
export { parseCount, parseSize } from "./size.ts";
export {
  checkSavable,
  type Fingerprint,
  fingerprintOf,
  restoreSnapshot,
  restoreSnapshotFile,
  saveSnapshot,
} from "./snapshot/index.ts";
export { finishRun, formatLeaks, type RunStatistics } from "./statistics.ts";
