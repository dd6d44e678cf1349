/** Machines whose memory and object trees are compared between builds. */

export interface SetUp {
  readonly name: string;
  readonly args: readonly string[];
  /** Text that the first serial console prints; undefined for machines that do not start OpenSBI. */
  readonly banner: string | undefined;
}

/** As a build folder names it; stands in for the icicle kit's own first stage, which is not free to have. */
export const OPENSBI = "opensbi-riscv64-generic-fw_dynamic.bin";

const BANNER = "OpenSBI v";

/** PCI devices of the minimal build that need no backend. */
const DEVICES: readonly string[] = [
  "edu",
  "pci-testdev",
  "e1000",
  "e1000e",
  "igb",
  "rtl8139",
  "ne2k_pci",
  "pcnet",
  "i82559er",
  "tulip",
  "vmxnet3",
  "virtio-net-pci",
  "virtio-rng-pci",
  "virtio-balloon-pci",
  "virtio-serial-pci",
  "virtio-scsi-pci",
  "nec-usb-xhci",
  "usb-ehci",
  "pci-ohci",
  "ich9-ahci",
  "lsi53c895a",
  "megasas",
  "mptsas1068",
  "am53c974",
  "bochs-display",
  "sdhci-pci",
];

/** Without a boot ROM: a minimal build has none for most devices. */
const withoutRom = new Set(["edu", "pci-testdev"]);

function pciDevices(): string[] {
  return DEVICES.flatMap((name) => ["-device", withoutRom.has(name) ? name : `${name},romfile=`]);
}

export const SET_UPS: readonly SetUp[] = [
  { name: "virt", args: ["-M", "virt"], banner: BANNER },
  { name: "virt, AIA", args: ["-M", "virt,aia=aplic-imsic", "-smp", "2"], banner: BANNER },
  { name: `virt, ${DEVICES.length} PCI devices`, args: ["-M", "virt", ...pciDevices()], banner: BANNER },
  { name: "sifive_u", args: ["-M", "sifive_u"], banner: BANNER },
  { name: "sifive_e", args: ["-M", "sifive_e"], banner: undefined },
  { name: "spike", args: ["-M", "spike"], banner: BANNER },
  { name: "shakti_c", args: ["-M", "shakti_c"], banner: undefined },
  {
    name: "microchip-icicle-kit",
    args: ["-M", "microchip-icicle-kit", "-m", "2G", "-bios", OPENSBI],
    banner: undefined,
  },
];

/** What the human monitor is asked of each machine. */
export const QUESTIONS = [
  "info mtree",
  "info mtree -o",
  "info mtree -f",
  "info qtree",
  "info qom-tree",
] as const;
