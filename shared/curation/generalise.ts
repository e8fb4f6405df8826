/** Longer lines are cut at the ends of their sentences, so that one other word does not make all of it another. */
const LONG_LINE = 160;
const SENTENCE_END = /(?<=[.!?;])\s|(?<=[。！？；])/u;

/**
 * What differs from one run to the next although the same happened: UUIDs, addresses, dates and times, durations,
 * hashes. Every part begins at a fixed place or has a bounded length, so a hostile line costs no more than its length.
 */
const VOLATILE =
  /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b0x[0-9a-f]+\b|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?|\b\d+(?:\.\d+)?\s?(?:ns|us|µs|ms|s|secs?|seconds?|mins?|minutes?)\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b/gi;
const DIGIT = /\d/;
const PATH_WORD = /[\w.@+~/-]+/g;

/** Lines of a text, long ones in sentences; blank ones are left out. */
export function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (trimmed === "") continue;
    if (trimmed.length <= LONG_LINE) pieces.push(trimmed);
    else
      for (const sentence of trimmed.split(SENTENCE_END)) if (sentence.trim() !== "") pieces.push(sentence);
  }
  return pieces;
}

/** A line as it counts in what came back: white space is one blank, what changes from run to run is a mark. */
export function generaliseLine(line: string): string {
  const text = line.replace(/\s+/g, " ").trim();
  return DIGIT.test(text) ? text.replace(VOLATILE, "#") : text;
}

/**
 * A line as it counts in what the agent did: besides, numbers are one mark, and of a path its last two names stay, so
 * that another work folder or another line range is no other action.
 */
export function generaliseAction(line: string): string {
  const text = generaliseLine(line);
  const paths = text.includes("/") ? text.replace(PATH_WORD, shortPath) : text;
  return DIGIT.test(paths) ? paths.replace(/\d+/g, "0") : paths;
}

function shortPath(word: string): string {
  if (!word.includes("/")) return word;
  const names = word.split("/").filter((name) => name !== "" && name !== "." && name !== "~");
  return names.slice(-2).join("/");
}
