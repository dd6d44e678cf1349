import { Node, Project, SyntaxKind } from "ts-morph";
import { expect, test } from "vitest";
import { nameOfRegion } from "./region-name.ts";

const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });

test.each([
  ["const iomem = M.newIo(1);", "iomem"],
  ["let iomem; iomem = M.newIo(1);", "iomem"],
  ["this.iomem = M.newIo(1);", "iomem"],
  ["this.iomem ??= M.newIo(1);", "iomem"],
  ["this['iomem'] = M.newIo(1);", "iomem"],
  ["this.windows[i] = M.newIo(1);", "windows"],
  ["const both = [M.newIo(1)];", "both"],
  ["const low = (wide ? M.newIo(1) : other) as Region;", "low"],
  ["const o = { iomem: M.newIo(1) };", "iomem"],
  ["class A { iomem = M.newIo(1); }", "iomem"],
  ["this.initMmio(M.newIo(this, ops, 'dut', 1));", "dut"],
  [`this.initMmio(M.newIo(this, \`dut\${n}\`, 1));`, `dut\${n}`],
  ["class A { window() { return M.newIo(1); } }", "window"],
  ["M.newIo(1);", "M.newIo"],
])("%s: %s", (text, name) => {
  const file = project.createSourceFile("a.ts", text, { overwrite: true });
  const creation = file
    .getDescendantsOfKind(SyntaxKind.CallExpression)
    .find((call) => Node.isPropertyAccessExpression(call.getExpression()) && call.getText().startsWith("M."));
  expect(creation && nameOfRegion(creation)).toBe(name);
});
