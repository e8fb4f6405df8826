import { createHash } from "node:crypto";

/**
 * Makes text of a trajectory fit to stand in a prompt as evidence.
 *
 * Three things keep it from passing for anything else: it lies between two lines that carry a mark, the hash of all
 * that lies there, which no text can contain its own; every line of it begins with `| `, so none passes for a line of
 * ours; and the brackets of our own marks occur nowhere in it.
 *
 * What this does NOT cover: a model may still follow what it reads. No text is taken out for what it says, so a
 * persuasive one reaches the judge; letters that look like other letters are left alone; images are not shown.
 * Agreement with people's labels is what tells whether a judge was swayed.
 */

const OPEN = "\u27e6";
const CLOSE = "\u27e7";

/** Brackets that are, or look like, those of our marks. */
const BRACKETS: Readonly<Record<string, string>> = {
  [OPEN]: "[[",
  [CLOSE]: "]]",
  "\u301a": "[[",
  "\u301b": "]]",
  "\u2e22": "[",
  "\u2e23": "]",
};
const LOOK_ALIKE = /[\u27e6\u27e7\u301a\u301b\u2e22\u2e23]/g;
const LINE_BREAK = /\r\n|[\r\v\f\u0085\u2028\u2029]/g;
/** Control characters but tab and line feed, and characters that show nothing: direction, width, tags, variants. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\u115f\u1160\u3164\uffa0\u{e0000}-\u{e0fff}]|(?!\ufe0f)\p{Variation_Selector}|\u034f|\u17b4|\u17b5/gu;

/** The text with every line break a line feed, what cannot be seen made visible, and no bracket of our marks in it. */
export function visibleText(text: string): string {
  return text
    .toWellFormed()
    .replace(LINE_BREAK, "\n")
    .replace(LOOK_ALIKE, (found) => BRACKETS[found] ?? "")
    .replace(UNSEEN, (found) => {
      if (found === "\n" || found === "\t") return found;
      const code = found.codePointAt(0) ?? 0;
      return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `\\u{${code.toString(16)}}`;
    });
}

/** The text on one line of at most `budget` characters, in quotes where it is not plain. */
export function visibleName(text: string, budget = 64): string {
  const short = excerpt(text, budget).replace(/\s+/g, " ");
  return /^[\w.:/@+-]+$/.test(short) ? short : JSON.stringify(short);
}

/**
 * At most `budget` characters of the text, made visible: a longer one keeps two thirds of the budget from its head
 * and the rest from its tail, with a mark between them that says how many characters are not shown.
 */
export function excerpt(text: string, budget: number): string {
  if (text.length <= budget) {
    const whole = visibleText(text);
    if (whole.length <= budget) return whole;
  }
  const head = Math.ceil((budget * 2) / 3);
  const tail = budget - head;
  const start = visibleText(text.slice(0, head)).slice(0, head);
  const end = tail === 0 ? "" : visibleText(text.slice(Math.max(head, text.length - tail))).slice(-tail);
  const left = Math.max(1, text.length - start.length - end.length);
  return `${start.toWellFormed()}${OPEN}${left}${CLOSE}${end.toWellFormed()}`;
}

/** The lines of a visible text, each marked as quoted; blank lines in a row count as one. */
export function quoted(visible: string): string {
  return visible
    .replace(/[ \t]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .replace(/^\n+|\n+$/g, "")
    .split("\n")
    .map((line) => `| ${line}`)
    .join("\n");
}

/** Lines of evidence between two lines that carry its mark. Equal evidence has an equal mark. */
export function fenced(body: string): { readonly mark: string; readonly text: string } {
  let mark = "";
  for (let salt = 0; mark === "" || body.includes(mark); salt += 1) {
    mark = createHash("sha256").update(`gymline.evidence\n${salt}\n${body}`).digest("hex").slice(0, 12);
  }
  return { mark, text: `${OPEN}evidence ${mark}${CLOSE}\n${body}\n${OPEN}end ${mark}${CLOSE}` };
}
