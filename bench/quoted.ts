import { inOneLine } from "#host";

/** A file's name as a shell takes it, if its characters can be shown. */
export function quoted(name: string): string {
  return /^[\w./:=@%+,~^-]+$/.test(name) ? name : `'${inOneLine(name).replaceAll("'", "'\\''")}'`;
}
