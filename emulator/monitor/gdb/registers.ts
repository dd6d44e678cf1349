/** The registers of a hart as GDB numbers and describes them (GDB manual, section G.5.11, "RISC-V Features"). */
import { csrNames, floatRegisterNames, type RiscvHart, registerNames } from "#cpu/riscv";

const PC = 32;
const FLOAT_BASE = PC + 1;
/** GDB's numbers for the control registers, and QEMU's for the privilege mode, which it calls `priv`. */
const CSR_BASE = 65;
const PRIVILEGE = CSR_BASE + 4096;
const BYTES = 8;

/** Number of registers in the reply to `g`: x0 to x31 and pc. */
export const GENERAL_REGISTERS = PC + 1;

/** The value of a register, or undefined if no register has this number. */
export function readRegister(hart: RiscvHart, number: number): bigint | undefined {
  if (number < PC) return hart.readRegister(number);
  if (number === PC) return hart.pc;
  if (number < CSR_BASE) return hart.readFloatRegister(number - FLOAT_BASE);
  if (number === PRIVILEGE) return BigInt(hart.privilege);
  return number < PRIVILEGE ? hart.readCsr(number - CSR_BASE) : undefined;
}

/** False if there is no such register, or it cannot be written. */
export function writeRegister(hart: RiscvHart, number: number, value: bigint): boolean {
  if (number < PC) hart.writeRegister(number, value);
  else if (number === PC) hart.pc = value;
  else if (number < CSR_BASE) hart.writeFloatRegister(number - FLOAT_BASE, value);
  else if (number === PRIVILEGE) {
    if (value !== 0n && value !== 1n && value !== 3n) return false;
    hart.privilege = Number(value);
  } else return number < PRIVILEGE && hart.writeCsr(number - CSR_BASE, value);
  return true;
}

/** Little-endian hexadecimal digits, as the protocol encodes values. */
export function toHex(value: bigint): string {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeBigUInt64LE(value);
  return bytes.toString("hex");
}

/** @returns undefined when the text is not eight bytes in hexadecimal. */
export function fromHex(text: string): bigint | undefined {
  return /^[0-9a-f]{16}$/i.test(text) ? Buffer.from(text, "hex").readBigUInt64LE() : undefined;
}

/** The target description for GDB, with the control registers that this hart implements. */
export function targetDescription(hart: RiscvHart): string {
  const general = registerNames.map((name, index) => register(name, index, general64(name)));
  const float = floatRegisterNames.map((name, index) => register(name, FLOAT_BASE + index, "riscv_double"));
  const control = [...csrNames]
    .filter(([number]) => hart.readCsr(number) !== undefined)
    .map(([number, name]) => register(name, CSR_BASE + number, "int", ' group="csr"'));
  return `<?xml version="1.0"?>
<!DOCTYPE target SYSTEM "gdb-target.dtd">
<target>
  <architecture>riscv:rv64</architecture>
  <feature name="org.gnu.gdb.riscv.cpu">
${[...general, register("pc", PC, "code_ptr")].join("\n")}
  </feature>
  <feature name="org.gnu.gdb.riscv.fpu">
    <union id="riscv_double">
      <field name="float" type="ieee_single"/>
      <field name="double" type="ieee_double"/>
    </union>
${float.join("\n")}
  </feature>
  <feature name="org.gnu.gdb.riscv.csr">
${control.join("\n")}
  </feature>
  <feature name="org.gnu.gdb.riscv.virtual">
${register("priv", PRIVILEGE, "int")}
  </feature>
</target>
`;
}

function general64(name: string): string {
  if (name === "ra") return "code_ptr";
  return name === "sp" || name === "gp" || name === "tp" ? "data_ptr" : "int";
}

function register(name: string, number: number, type: string, more = ""): string {
  const save = number > PC ? ' save-restore="no"' : "";
  return `    <reg name="${name}" bitsize="64" regnum="${number}" type="${type}"${more}${save}/>`;
}
