import { argumentText } from "../reward/argument-text.ts";
import type { CallFacts } from "../reward/call-facts.ts";
import type { CriticStep } from "./critic-step.ts";
import { type FeatureGroup, type FeatureGroupSpec, flag, share } from "./feature-group.ts";
import { fencedBlocks } from "./fenced-blocks.ts";
import { changesService } from "./service-tools.ts";

/** Of a text, only so many characters are looked at. */
const looked = 20_000;
const fileName = /\b[\w-]{1,80}\.[a-z]{1,4}\b/g;

/**
 * Whether what is done rests on what was asked and found: words are compared, and none of them becomes a feature.
 */
export const groundingFeatures: FeatureGroupSpec = {
  features: [
    [
      "edits_in_asked_share",
      "edits of files whose name stands in what was asked ÷ edits of named files",
      "up",
    ],
    ["edit_last_in_asked", "the last of those edits is one", "up"],
    ["looks_in_asked", "a file was read whose name stands in what was asked"],
    ["edit_words_known", "mean over edits of the share of their words that were asked or found before", "up"],
    ["edit_words_known_last", "that share of the last edit", "up"],
    ["edit_words_asked", "mean over edits of the share of their words that were asked"],
    ["change_words_known", "that share over calls of unknown tools that change something", "up"],
    ["change_words_known_last", "that share of the last such call", "up"],
    ["code_words_known_last", "that share of the last fenced blocks in a step without a call", "up"],
    ["code_words_asked_last", "share of the words of those blocks that were asked"],
    ["code_file_asked_last", "a file name in those blocks stands in what was asked"],
    ["found_new_share", "share of the words in the last output that are new"],
    ["found_new_mean", "mean of the same over all outputs"],
  ],
  create: (asked) => new GroundingGroup(asked),
};

class GroundingGroup implements FeatureGroup {
  readonly #asked: ReadonlySet<string>;
  readonly #known: Set<string>;
  #namedEdits = 0;
  #editsInAsked = 0;
  #lastInAsked = false;
  #looksInAsked = false;
  readonly #editKnown = new Shares();
  readonly #editAsked = new Shares();
  readonly #changeKnown = new Shares();
  #codeKnown = 0;
  #codeAsked = 0;
  #codeFileAsked = false;
  readonly #foundNew = new Shares();

  constructor(asked: string) {
    this.#asked = wordsOf(asked);
    this.#known = new Set(this.#asked);
  }

  add({ facts, message }: CriticStep): void {
    if (facts.calls.length === 0) this.#code(fencedBlocks(message).join("\n"));
    for (const call of facts.calls) this.#call(call);
    // Calls of one step do not see each other's results.
    for (const { view } of facts.calls) this.#found(view.at.output, true);
    for (const reply of facts.replies) this.#found(reply, false);
  }

  #call(call: CallFacts): void {
    const { view, role } = call;
    if (role === "edit" && call.edit === "applied") {
      const words = wordsOf(argumentText(view.at.params));
      this.#editKnown.add(shareIn(words, this.#known));
      this.#editAsked.add(shareIn(words, this.#asked));
      if (call.edited !== "") {
        this.#namedEdits++;
        this.#lastInAsked = this.#isAsked(call.edited);
        if (this.#lastInAsked) this.#editsInAsked++;
      }
    } else if (role === "read" && view.target !== "") {
      if (this.#isAsked(view.target)) this.#looksInAsked = true;
    } else if (role === "tool" && changesService(view.at.tool)) {
      this.#changeKnown.add(shareIn(wordsOf(argumentText(view.at.params)), this.#known));
    }
  }

  #code(text: string): void {
    if (text === "") return;
    const words = wordsOf(text);
    this.#codeKnown = shareIn(words, this.#known);
    this.#codeAsked = shareIn(words, this.#asked);
    const files = text.slice(0, looked).match(fileName) ?? [];
    this.#codeFileAsked = files.some((file) => this.#isAsked(file));
  }

  /** Whether the file's name, without its ending, is a word of what was asked. */
  #isAsked(path: string): boolean {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const stem = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : name;
    return this.#asked.has(stem.toLowerCase());
  }

  #found(text: string, isOutput: boolean): void {
    const words = wordsOf(text);
    if (isOutput && words.size > 0) this.#foundNew.add(1 - shareIn(words, this.#known));
    for (const word of words) this.#known.add(word);
  }

  values(): readonly number[] {
    return [
      share(this.#editsInAsked, this.#namedEdits),
      flag(this.#lastInAsked),
      flag(this.#looksInAsked),
      this.#editKnown.mean(),
      this.#editKnown.last,
      this.#editAsked.mean(),
      this.#changeKnown.mean(),
      this.#changeKnown.last,
      this.#codeKnown,
      this.#codeAsked,
      flag(this.#codeFileAsked),
      this.#foundNew.last,
      this.#foundNew.mean(),
    ];
  }
}

class Shares {
  last = 0;
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.last = value;
    this.#sum += value;
    this.#count++;
  }

  mean(): number {
    return share(this.#sum, this.#count);
  }
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(
    text
      .slice(0, looked)
      .toLowerCase()
      .match(/[a-z0-9_]{3,60}/g) ?? [],
  );
}

function shareIn(words: ReadonlySet<string>, known: ReadonlySet<string>): number {
  let inside = 0;
  for (const word of words) if (known.has(word)) inside++;
  return share(inside, words.size);
}
