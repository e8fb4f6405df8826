import type { ReadTokenizer } from "./tokenizer-files.ts";

/**
 * Cuts a text at the tokenizer's added tokens, such as `<|im_end|>`: a tokenizer does the same before anything else, so
 * the pieces can be counted one by one, and those seen before need not be counted again. undefined where a piece would
 * be tokenised otherwise than in its text: added tokens that take in the blanks beside them or are matched after
 * normalising, and pre-tokenizers that treat the first piece of a text specially.
 */
export function segmenterOf({
  tokenizer,
}: Pick<ReadTokenizer, "tokenizer">): ((text: string) => readonly string[]) | undefined {
  const { added_tokens: added, normalizer, pre_tokenizer: pretokenizer } = tokenizer;
  if (added.length === 0) return undefined;
  if (
    added.some(({ lstrip, rstrip, single_word: word }) => lstrip === true || rstrip === true || word === true)
  ) {
    return undefined;
  }
  if (normalizer !== null && added.some(({ normalized }) => normalized === true)) return undefined;
  if (/"(?:Metaspace|Prepend)"/.test(JSON.stringify([normalizer, pretokenizer]))) return undefined;
  // Of several that start at one place the longest one is taken.
  const longestFirst = added.map(({ content }) => content).toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${longestFirst.map(escaped).join("|")})`);
  return (text) => text.split(pattern).filter((piece) => piece !== "");
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
