/** Words of C as small integers, the same in all files: comparing two of them is comparing two numbers. */
const texts: string[] = [""];
const hashes: number[] = [0];
/** Open addressing, by hash: words are looked up where they stand, so that none is cut out of its text twice. */
let table = new Int32Array(1 << 16);
let mask = table.length - 1;

/** The hash of no characters. */
export const NO_HASH = 0;

/** The hash of a word with one more character at its end. */
export function withCharacter(hash: number, character: number): number {
  return (Math.imul(hash, 31) + character) | 0;
}

/** The number of a word; 0 stands for a token whose text nobody asks for, such as a string. */
export function wordOf(text: string): number {
  if (text === "") return 0;
  let hash = NO_HASH;
  for (let at = 0; at < text.length; at++) hash = withCharacter(hash, text.charCodeAt(at));
  return wordAt(text, 0, text.length, hash);
}

/** The number of the word between two offsets, which is not empty. @param hash of its characters */
export function wordAt(text: string, from: number, to: number, hash: number): number {
  let slot = placeOf(hash);
  for (let word = table[slot] ?? 0; word !== 0; word = table[slot] ?? 0) {
    if (hashes[word] === hash && isSame(texts[word] ?? "", text, from, to)) return word;
    slot = (slot + 1) & mask;
  }
  const word = texts.length;
  texts.push(text.slice(from, to));
  hashes.push(hash);
  table[slot] = word;
  if (2 * word > mask) grow();
  return word;
}

function placeOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & mask;
}

function isSame(word: string, text: string, from: number, to: number): boolean {
  if (word.length !== to - from) return false;
  for (let at = 0; at < word.length; at++)
    if (word.charCodeAt(at) !== text.charCodeAt(from + at)) return false;
  return true;
}

function grow(): void {
  table = new Int32Array(2 * table.length);
  mask = table.length - 1;
  for (let word = 1; word < texts.length; word++) {
    let slot = placeOf(hashes[word] ?? 0);
    while (table[slot] !== 0) slot = (slot + 1) & mask;
    table[slot] = word;
  }
}

/** The text of a word. */
export function textOf(word: number): string {
  return texts[word] ?? "";
}

/** How many words are known: the size of a table that is indexed by words. */
export function wordCount(): number {
  return texts.length;
}
