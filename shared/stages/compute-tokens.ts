import type { TokensCount, TokensTask } from "../ports/compute.ts";
import { type TokenCounter, tokenCounter } from "../tokenizer/token-counter.ts";
import { TokenizerError } from "../tokenizer/tokenizer-files.ts";
import { estimatedTokens } from "../tokenizer/trajectory-texts.ts";
import { readDocument } from "./compute-tasks.ts";

/** Counts tokens of stored documents; keeps the tokenizer that was used last, which takes a second to make. */
export class TokenCounters {
  #last: { readonly sha256: string; readonly counter: Promise<TokenCounter> } | undefined;

  /** @throws StoredFormatError where the document is damaged */
  async count({ document, tokenizer }: TokensTask): Promise<TokensCount> {
    const trajectory = readDocument(document);
    if (tokenizer === undefined) return { kind: "counted", tokens: estimatedTokens(trajectory) };
    const { sha256, files } = tokenizer;
    if (this.#last?.sha256 !== sha256) this.#last = { sha256, counter: tokenCounter(files) };
    try {
      const tokens = (await this.#last.counter).trajectory(trajectory);
      return tokens === undefined ? { kind: "refused" } : { kind: "counted", tokens };
    } catch (error) {
      // Told apart from a damaged document, also by whoever gets this from another thread.
      if (error instanceof TokenizerError) return { kind: "fault", why: error.message };
      throw error;
    }
  }
}
