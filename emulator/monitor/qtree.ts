import { formatAddress } from "#memory";
import { Bus, type Device, type DeviceModel, SysBusDevice } from "#qdev";
import type { PropertyValue } from "#qom";

/** The devices of all buses with their properties, as QEMU's `info qtree` lists them: the newest first. */
export function formatQtree(model: DeviceModel): string {
  const lines: string[] = [];
  listBus(model.systemBus, 0, lines);
  return `${lines.join("\n")}\n`;
}

function listBus(bus: Bus, indent: number, lines: string[]): void {
  const margin = " ".repeat(indent);
  lines.push(`${margin}bus: ${bus.name}`, `${margin}  type ${bus.qomType.typeName}`);
  for (const device of [...bus.devices].reverse()) listDevice(device, indent + 2, lines);
}

function listDevice(device: Device, indent: number, lines: string[]): void {
  const id = device.parent?.nameInParent === "peripheral" ? device.nameInParent : "";
  lines.push(`${" ".repeat(indent)}dev: ${device.qomType.typeName}, id "${id}"`);
  const margin = " ".repeat(indent + 2);
  if (device.gpioInputs > 0) lines.push(`${margin}gpio-in "" ${device.gpioInputs}`);
  if (device.gpioOutputs > 0) lines.push(`${margin}gpio-out "" ${device.gpioOutputs}`);
  if (device instanceof SysBusDevice && device.irqOutputs > 0) {
    lines.push(`${margin}gpio-out "sysbus-irq" ${device.irqOutputs}`);
  }
  for (const { name, type } of device.model.types.classProperties(device.qomType)) {
    lines.push(`${margin}${name} = ${formatValue(type, device.getProperty(name))}`);
  }
  const seat = device.parentBus?.describeSeat(device) ?? null;
  if (seat !== null) lines.push(`${margin}${seat}`);
  if (device instanceof SysBusDevice) {
    for (const { address, region } of device.mmioWindows) {
      const at = address === 2 ** 64 ? "f".repeat(16) : formatAddress(address);
      lines.push(`${margin}mmio ${at}/${formatAddress(region.size)}`);
    }
  }
  for (const [, child] of device.children()) if (child instanceof Bus) listBus(child, indent + 2, lines);
}

function formatValue(type: string, value: PropertyValue): string {
  if (typeof value === "string") return `"${value}"`;
  if (typeof value === "boolean") return String(value);
  if (type === "size") return `${value} (${inLargestUnit(Number(value))})`;
  return `${value} (0x${value.toString(16)})`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Three significant digits, in the unit that leaves less than 1000 before the point. */
function inLargestUnit(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.floor(Math.log2((bytes * 1024) / 1000) / 10);
  return `${Number((bytes / 2 ** (10 * power)).toPrecision(3))} ${UNITS[power]}`;
}
