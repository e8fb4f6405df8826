import { z } from "zod";
import type { EvaluationItem, EvaluationSet } from "./evaluation-set.ts";
import { gramsOf, type Words, wordsOf } from "./word-grams.ts";

/**
 * How task texts are compared. Words in a row: 13, as in Brown et al., "Language Models are Few-Shot Learners" (2020),
 * appendix C, where one shared run of 13 is enough; PaLM (Chowdhery et al. 2022) asks for 70 % of the runs of 8. The
 * default, half of an evaluation task's runs, lies between: agents' prompts wrap the task in a text of their own, which
 * takes nothing from this share, and a quoted sentence alone does not reach it.
 */
export const decontaminationSchema = z.strictObject({
  words: z.int().min(5).max(50).default(13),
  overlap: z.number().gt(0).max(1).default(0.5),
});

export type DecontaminationConfig = z.infer<typeof decontaminationSchema>;

/** What a trajectory says of its task. */
export interface TaskFacts {
  readonly id: string | null;
  readonly repo: string | null;
  readonly commit: string | null;
  readonly texts: readonly string[];
}

export const contaminationRules = ["task-id", "repository-commit", "text"] as const;

/** Why a trajectory is left out. */
export interface Contamination {
  readonly set: string;
  readonly item: string;
  readonly rule: (typeof contaminationRules)[number];
  /** Share of the evaluation task's runs of words that the trajectory's task holds; 1 with the other rules. */
  readonly overlap: number;
}

/** Texts of fewer words count only where they are the same from the first word to the last (Brown et al.: N ≥ 8). */
const LEAST_WORDS = 8;
/** A run of words that stands in more tasks of the sets is their template and says nothing (Brown et al.: 10). */
const TEMPLATE = 10;

interface Text {
  readonly set: string;
  readonly item: string;
  /** Different runs of words that count. */
  grams: number;
}

/** Compares tasks with evaluation sets. Takes time in proportion to the texts, however many sets there are. */
export class Decontaminator {
  readonly #config: DecontaminationConfig;
  readonly #ids = new Map<string, Contamination>();
  /** By repository and the first seven digits of the commit. */
  readonly #commits = new Map<string, { readonly commit: string; readonly found: Contamination }[]>();
  readonly #whole = new Map<number, Text>();
  /** By number of words: the texts that hold a run of so many words. */
  readonly #grams = new Map<number, Map<number, Text[]>>();

  constructor(sets: readonly EvaluationSet[], config: DecontaminationConfig) {
    this.#config = config;
    for (const set of sets) for (const item of set.items) this.#add(item, set.name);
    this.#dropTemplates();
  }

  /** The first rule by which a task is one of the sets'; undefined where none does. */
  match(task: TaskFacts): Contamination | undefined {
    const byId = task.id === null ? undefined : this.#ids.get(task.id.toLowerCase());
    return byId ?? this.#byCommit(task) ?? this.#byText(task.texts);
  }

  #add({ label, id, repo, commit, texts }: EvaluationItem, set: string): void {
    const found = (rule: Contamination["rule"]): Contamination => ({ set, item: label, rule, overlap: 1 });
    if (id !== null && !this.#ids.has(id.toLowerCase())) this.#ids.set(id.toLowerCase(), found("task-id"));
    if (repo !== null && commit !== null && commit.length >= SHORT_COMMIT) {
      const key = commitKey(repo, commit);
      const others = this.#commits.get(key) ?? [];
      others.push({ commit: commit.toLowerCase(), found: found("repository-commit") });
      this.#commits.set(key, others);
    }
    for (const text of texts) this.#addText(wordsOf(text), { set, item: label });
  }

  #addText(words: Words, { set, item }: { readonly set: string; readonly item: string }): void {
    const whole = wholeOf(words);
    // The same task in several rows is one task, or its runs of words would pass for a template.
    if (whole === undefined || this.#whole.has(whole)) return;
    const text: Text = { set, item, grams: 0 };
    this.#whole.set(whole, text);
    const size = Math.min(this.#config.words, words.first.length);
    if (size < Math.min(LEAST_WORDS, this.#config.words)) return;
    const index = this.#grams.get(size) ?? new Map<number, Text[]>();
    this.#grams.set(size, index);
    for (const gram of new Set(gramsOf(words, size))) {
      const others = index.get(gram);
      if (others === undefined) index.set(gram, [text]);
      else others.push(text);
      text.grams += 1;
    }
  }

  #dropTemplates(): void {
    for (const index of this.#grams.values()) {
      for (const [gram, texts] of index) {
        if (texts.length <= TEMPLATE) continue;
        for (const text of texts) text.grams -= 1;
        index.delete(gram);
      }
    }
  }

  #byCommit({ repo, commit }: TaskFacts): Contamination | undefined {
    if (repo === null || commit === null || commit.length < SHORT_COMMIT) return undefined;
    const own = commit.toLowerCase();
    return this.#commits
      .get(commitKey(repo, own))
      ?.find((other) => other.commit.startsWith(own) || own.startsWith(other.commit))?.found;
  }

  #byText(texts: readonly string[]): Contamination | undefined {
    const all = texts.map(wordsOf);
    for (const words of all) {
      const whole = wholeOf(words);
      const same = whole === undefined ? undefined : this.#whole.get(whole);
      if (same !== undefined) return { set: same.set, item: same.item, rule: "text", overlap: 1 };
    }
    let best: Contamination | undefined;
    for (const [size, index] of this.#grams) {
      const hits = new Map<Text, number>();
      const grams = new Set<number>();
      for (const words of all) for (const gram of gramsOf(words, size)) if (index.has(gram)) grams.add(gram);
      for (const gram of grams) {
        for (const text of index.get(gram) ?? []) hits.set(text, (hits.get(text) ?? 0) + 1);
      }
      for (const [{ set, item, grams: of }, count] of hits) {
        const overlap = count / of;
        if (overlap < this.#config.overlap || overlap <= (best?.overlap ?? 0)) continue;
        best = { set, item, rule: "text", overlap };
      }
    }
    return best;
  }
}

const SHORT_COMMIT = 7;

/** Hash of a whole text; undefined where it has no word. */
function wholeOf(words: Words): number | undefined {
  const { length } = words.first;
  if (length === 0) return undefined;
  const [whole] = gramsOf(words, length);
  return whole;
}

/** `https://github.com/Owner/Name.git`, `git@github.com:owner/name` and `owner/name` are one repository. */
export function repositoryName(repo: string): string {
  return repo
    .trim()
    .toLowerCase()
    .replace(/^[a-z+]+:\/\/(?:[^/@]*@)?[^/]+\//, "")
    .replace(/^git@[^:]+:/, "")
    .replace(/^(?:www\.)?(?:github|gitlab)\.com\//, "")
    .replace(/\.git$/, "")
    .replace(/^\/+|\/+$/g, "");
}

function commitKey(repo: string, commit: string): string {
  return `${repositoryName(repo)}@${commit.slice(0, SHORT_COMMIT).toLowerCase()}`;
}
