/** Features of a network card, as masks. Source: VIRTIO 1.2, section 5.1.3. */
import { checkBool, checkUnrealized, type Device } from "#qdev";
import type { ClassProperty } from "#qom";

export const VIRTIO_NET_F = {
  csum: 1n << 0n,
  guestCsum: 1n << 1n,
  ctrlGuestOffloads: 1n << 2n,
  mtu: 1n << 3n,
  mac: 1n << 5n,
  /** Any segmentation; known only to legacy drivers. */
  gso: 1n << 6n,
  guestTso4: 1n << 7n,
  guestTso6: 1n << 8n,
  guestEcn: 1n << 9n,
  guestUfo: 1n << 10n,
  hostTso4: 1n << 11n,
  hostTso6: 1n << 12n,
  hostEcn: 1n << 13n,
  hostUfo: 1n << 14n,
  mrgRxbuf: 1n << 15n,
  status: 1n << 16n,
  ctrlVq: 1n << 17n,
  ctrlRx: 1n << 18n,
  ctrlVlan: 1n << 19n,
  ctrlRxExtra: 1n << 20n,
  guestAnnounce: 1n << 21n,
  ctrlMacAddr: 1n << 23n,
} as const;

/** Features that need a backend which computes checksums and segments large packets. */
export const VIRTIO_NET_OFFLOADS =
  VIRTIO_NET_F.csum |
  VIRTIO_NET_F.guestCsum |
  VIRTIO_NET_F.gso |
  VIRTIO_NET_F.guestTso4 |
  VIRTIO_NET_F.guestTso6 |
  VIRTIO_NET_F.guestEcn |
  VIRTIO_NET_F.guestUfo |
  VIRTIO_NET_F.hostTso4 |
  VIRTIO_NET_F.hostTso6 |
  VIRTIO_NET_F.hostEcn |
  VIRTIO_NET_F.hostUfo;

/** Requested unless an option disables them. */
export const VIRTIO_NET_OPTIONAL_FEATURES =
  VIRTIO_NET_OFFLOADS |
  VIRTIO_NET_F.ctrlGuestOffloads |
  VIRTIO_NET_F.mrgRxbuf |
  VIRTIO_NET_F.status |
  VIRTIO_NET_F.ctrlVq |
  VIRTIO_NET_F.ctrlRx |
  VIRTIO_NET_F.ctrlVlan |
  VIRTIO_NET_F.ctrlRxExtra |
  VIRTIO_NET_F.guestAnnounce |
  VIRTIO_NET_F.ctrlMacAddr;

/** An option that requests `feature`; fixed once the card is realized. */
export function wantedProperty<T extends Device & { wanted: bigint }>(
  name: string,
  feature: bigint,
): ClassProperty<T> {
  return {
    name,
    type: "bool",
    get: (card) => (card.wanted & feature) !== 0n,
    set: (card, value) => {
      checkUnrealized(card, name);
      card.wanted = checkBool(name, value) ? card.wanted | feature : card.wanted & ~feature;
    },
  };
}
