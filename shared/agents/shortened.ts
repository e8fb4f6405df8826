/** The text with its middle left out where it is longer than so many characters; what is gone is said in its place. */
export function shortened(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const head = Math.ceil(characters / 2);
  const tail = characters - head;
  const start = splitsPair(text, head) ? head - 1 : head;
  const end = splitsPair(text, text.length - tail) ? text.length - tail + 1 : text.length - tail;
  return `${text.slice(0, start)}\n[… ${end - start} characters left out …]\n${text.slice(end)}`;
}

/** Half of a surrogate pair is no text. */
function splitsPair(text: string, at: number): boolean {
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at));
}
