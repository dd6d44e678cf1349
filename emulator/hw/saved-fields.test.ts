/**
 * Whatever can change in a device is saved with it. The sources are read: each field that can be assigned, or whose content can
 * change, is a property, a field of the state, or named below with what makes it right again after a snapshot is restored.
 */
import { join } from "node:path";
import { type ClassDeclaration, type Node, Project, type PropertyDeclaration, SyntaxKind } from "ts-morph";
import { expect, it } from "vitest";

/** Fields that are not saved, by what they are. */
const NOT_SAVED: Readonly<Record<string, readonly string[]>> = {
  "set by the board or by realize, from properties and other devices": [
    "PflashCfi01.readOnly",
    "PflashCfi01.backend",
    "PflashCfi01.storage",
    "PflashCfi01.queryTable",
    "PflashCfi01.queryShift",
    "VirtioBlk.backend",
    "Serial.backend",
    "VirtioSerialBus.owner",
    "VirtioSerialPort.backend",
    "VirtioSerialPort.source",
    "VirtioSerialPort.serial",
    "VirtioSerial.hasBus",
    "VirtioSerial.ports",
    "VirtioSerial.toDriver",
    "VirtioSerial.controlToDriver",
    "SifivePlic.words",
    "VirtioNet.wanted",
    "VirtioNet.backend",
    "VirtioNet.receiveQueue",
    "FwCfgMem.items",
    "FwCfgMem.files",
    "RiscvHart.hartId",
    "RiscvHart.port",
    "RiscvHart.addressSpace",
    "VirtMachine.options",
    "VirtMachine.parts",
    "VirtMachine.space",
    "VirtMachine.flash",
    "AclintMtimer.onTimeSet",
    "RngBuiltin.seed",
    "VirtioBus.transport",
    "VirtioBus.device",
    "VirtioDevice.config",
    "VirtioDevice.guestMemory",
    "VirtioRng.requests",
    "SifivePlic.contexts",
    "RiscvHartArray.harts",
    "VirtioDevice.hostFeatures",
    "VirtioDevice.queues",
  ],
  "the host's own, with which no machine is saved": ["HostWindow.memory", "HostWindow.hostRegisters"],
  "views of what is saved, or room that is written before it is read": [
    "PflashCfi01.bufferView",
    "VirtioBlk.header",
    "VirtioBlk.statusByte",
  ],
  "saved in another form: by accessors that stand in the state": [
    "VirtioMmio.setups",
    ...["size", "descriptors", "available", "used", "align", "inUse"].map((name) => `Virtqueue.${name}`),
    ...["lastAvailable", "usedIndex", "signalled"].map((name) => `Virtqueue.${name}`),
    ...["signalledIsValid", "notification", "postponed"].map((name) => `Virtqueue.${name}`),
  ],
  "computed again by postLoad": [
    "ReceiveFilter.filtersVlans",
    "VirtioNet.headerBytes",
    "VirtioNet.mergesBuffers",
  ],
  "of the access at hand, in which no machine is saved": [
    "Virtqueue.budget",
    ...["outBytes", "inBytes", "out", "in"].map((name) => `VirtqueueElement.${name}`),
  ],
};

const STATE = /^(?:vmState|vmFields|properties)$/;
const project = new Project({
  tsConfigFilePath: join(import.meta.dirname, "../../tsconfig.json"),
  skipAddingFilesFromTsConfig: true,
});
project.addSourceFilesAtPaths(join(import.meta.dirname, "embedded/**/*.ts"));
const classes = project.getSourceFiles("**/hw/embedded/**").flatMap((file) => file.getClasses());

/** Names that the static members of a class give: keys of its state, and texts that name fields of its properties. */
function namesGiven(type: ClassDeclaration): Set<string> {
  const given = new Set<string>();
  for (const member of type.getStaticProperties()) {
    if (!STATE.test(member.getName())) continue;
    for (const node of member.getDescendantsOfKind(SyntaxKind.PropertyAssignment)) given.add(node.getName());
    for (const node of member.getDescendantsOfKind(SyntaxKind.StringLiteral))
      given.add(node.getLiteralValue());
  }
  return given;
}

function classOf(node: Node): ClassDeclaration | undefined {
  const declaration = node.getType().getNonNullableType().getSymbol()?.getDeclarations()[0];
  return declaration?.asKind(SyntaxKind.ClassDeclaration);
}

/** Keys of the state of one object inside another, such as `source: { position: "uint32" }`, by "Class.field". */
const nested = new Set<string>();
for (const type of classes) {
  for (const member of type.getStaticProperties()) {
    for (const inner of member.getDescendantsOfKind(SyntaxKind.ObjectLiteralExpression)) {
      const key = inner.getParent()?.asKind(SyntaxKind.PropertyAssignment)?.getName();
      const field = key === undefined ? undefined : type.getInstanceProperty(key);
      const name = field && classOf(field)?.getName();
      for (const each of inner.getDescendantsOfKind(SyntaxKind.PropertyAssignment))
        if (name !== undefined) nested.add(`${name}.${each.getName()}`);
    }
  }
}

function canChange(field: PropertyDeclaration): boolean {
  if (!field.isReadonly()) return true;
  return /^(?:.*IrqLine|.*Timer|.*Array<.*>|DataView.*|.*\[\]|Map<.*>|Set<.*>)$/.test(
    field.getType().getText(field),
  );
}

it("every field is saved, a property, or right again without", () => {
  const excused = new Set(Object.values(NOT_SAVED).flat());
  const missing: string[] = [];
  for (const type of classes) {
    const given = namesGiven(type);
    for (const field of type.getInstanceProperties()) {
      const declaration = field.asKind(SyntaxKind.PropertyDeclaration);
      if (declaration === undefined || !canChange(declaration)) continue;
      const name = `${type.getName()}.${field.getName()}`;
      if (given.has(field.getName()) || nested.has(name) || excused.delete(name)) continue;
      missing.push(`${name}: ${declaration.getType().getText(declaration)}`);
    }
  }
  expect(missing).toEqual([]);
  expect([...excused]).toEqual([]);
});
