/** The Internet checksum. Source: RFC 1071. */

/** Adds big-endian 16-bit words to a sum; an odd last byte counts as a high byte. */
export function addWords(sum: number, bytes: Uint8Array): number {
  let total = sum;
  const even = bytes.length & ~1;
  for (let index = 0; index < even; index += 2)
    total += ((bytes[index] as number) << 8) | (bytes[index + 1] as number); // both in bounds
  if (even < bytes.length) total += (bytes[even] as number) << 8; // in bounds
  return total;
}

/** The checksum for a sum; 0 if the summed data include their correct checksum. */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}

export function checksum(bytes: Uint8Array): number {
  return foldChecksum(addWords(0, bytes));
}

/** The checksum of UDP and TCP, which also covers the addresses and the protocol. */
export function transportChecksum(
  source: number,
  destination: number,
  protocol: number,
  segment: Uint8Array,
): number {
  const pseudoHeader =
    (source >>> 16) +
    (source & 0xffff) +
    (destination >>> 16) +
    (destination & 0xffff) +
    protocol +
    segment.length;
  return foldChecksum(addWords(pseudoHeader, segment));
}
