/** Words of C as small integers, the same in all files: comparing two of them is comparing two numbers. */
const numbers = new Map<string, number>([["", 0]]);
const texts: string[] = [""];

/** The number of a word; 0 stands for a token whose text nobody asks for, such as a string. */
export function wordOf(text: string): number {
  const known = numbers.get(text);
  if (known !== undefined) return known;
  const number = texts.length;
  numbers.set(text, number);
  texts.push(text);
  return number;
}

/** The text of a word. */
export function textOf(word: number): string {
  return texts[word] ?? "";
}

/** How many words are known: the size of a table that is indexed by words. */
export function wordCount(): number {
  return texts.length;
}
