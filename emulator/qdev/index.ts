/** Device core: devices, buses, interrupt lines, guest time, device trees. Holds no region of its own. */
export { Bus } from "./bus.ts";
export { Clock, Timer } from "./clock.ts";
export { Device } from "./device.ts";
export { DeviceModel, type DeviceModelOptions } from "./device-model.ts";
export { cells64, DeviceTreeNode, flatten, type PropertyContent } from "./device-tree.ts";
export { type IrqInput, IrqLine } from "./irq.ts";
export { SysBusDevice, SystemBus } from "./sysbus.ts";
