/** Device core: devices, buses, interrupt lines, guest time and device trees. Contains no regions. */
export type { BlockBackend, BlockResult } from "./block.ts";
export { Bus } from "./bus.ts";
export type { CharBackend, CharDevice, Chardev } from "./char.ts";
export { Clock, Timer } from "./clock.ts";
export { Device } from "./device.ts";
export {
  DeviceModel,
  type DeviceModelOptions,
  type GlobalProperty,
  type GuestErrorKind,
  type ShutdownRequest,
} from "./device-model.ts";
export { cells64, DeviceTreeNode, flatten, type PropertyContent } from "./device-tree.ts";
export { type Hold, type Holder, type HoldGraph, type HoldReason, holdGraph } from "./holds.ts";
export { completeUnplug, type DeviceListener, type HotplugHandler, requestUnplug } from "./hotplug.ts";
export { Irq, type IrqHandler, type IrqInput, IrqLine } from "./irq.ts";
export {
  type BootInformation,
  type BootTarget,
  type FlashKernel,
  type HartPort,
  type InterruptNumber,
  Machine,
  type MachineOptions,
} from "./machine.ts";
export { NamedBackends } from "./named-backends.ts";
export { macProperty, type NetBackend, type NetDevice } from "./net.ts";
export {
  boolProperty,
  checkBool,
  checkUint,
  checkUnrealized,
  parseInteger,
  stringProperty,
  uint64Property,
  uintProperty,
} from "./properties.ts";
export { SysBusDevice, SystemBus } from "./sysbus.ts";
export {
  fieldsNotRepeated,
  isFields,
  loadFields,
  type Restore,
  type SavedFields,
  type SavedValue,
  saveFields,
  type VmState,
  type VmStateFields,
} from "./vmstate.ts";
