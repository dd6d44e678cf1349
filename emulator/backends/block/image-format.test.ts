import { expect, it } from "vitest";
import { imageFormat } from "./image-format.ts";

const head = (text: string, at = 0) => {
  const bytes = Buffer.alloc(128);
  bytes.write(text, at, "latin1");
  return bytes;
};

// Which images QEMU takes for raw: `bin/qemu-agreement.test.ts`.
it.each([
  ["qcow", "QFI\xfb\0\0\0\x01", 0],
  ["qcow2", "QFI\xfb\0\0\0\x03", 0],
  ["vdi", "\x7f\x10\xda\xbe", 64],
  ["vmdk", "# Disk DescriptorFile\n", 0],
  ["luks", "LUKS\xba\xbe\0\x02", 0],
  [null, "\x7f\x10\xda\xbe", 0],
  [null, "QFI\xfb", 1],
  [null, "", 0],
])("recognises %s", (format, text, at) => {
  expect(imageFormat(head(text, at))).toBe(format);
});

it("needs no more than there is", () => {
  expect(imageFormat(new Uint8Array())).toBe(null);
  expect(imageFormat(Buffer.from("vhdxfile"))).toBe("vhdx");
});
