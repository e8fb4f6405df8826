import { minhash, PERMUTATIONS } from "../../curation/minhash.ts";
import { gramsOf, wordsOf } from "../../curation/word-grams.ts";

/** Of a prompt so many words count: more would cost time and tell little. */
const MOST_WORDS = 4000;
const MOST_CHARACTERS = 40_000;
/** Words in a row that are compared. */
const WORDS = 3;
const NONE = new Uint32Array(0);

/** A prompt as leaks are looked for. */
export interface PromptSketch {
  /** Equal for prompts that differ in case, layout and punctuation alone. */
  readonly hash: number;
  /** MinHash signature; equal places out of 128 estimate the Jaccard similarity of runs of three words. */
  readonly signature: Int32Array;
}

/** undefined where the prompt has no word. */
export function promptSketch(texts: readonly string[]): PromptSketch | undefined {
  const words = wordsOf(texts.join("\n").slice(0, MOST_CHARACTERS));
  const length = Math.min(words.first.length, MOST_WORDS);
  if (length === 0) return undefined;
  const cut = { first: words.first.subarray(0, length), second: words.second.subarray(0, length) };
  const [hash = 0] = gramsOf(cut, length);
  const grams = new Set(gramsOf(cut, Math.min(WORDS, length)));
  const actions = Uint32Array.from(grams, (gram) => gram / 2 ** 21);
  const signature = new Int32Array(PERMUTATIONS);
  minhash({ actions, outputs: NONE }, signature);
  return { hash, signature };
}
