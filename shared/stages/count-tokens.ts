import type { DatasetRequest } from "../contracts/dataset-request.ts";
import type { Compute, TokensTask } from "../ports/compute.ts";
import { type CountedBy, type CountedTokens, countedBy } from "../tokenizer/token-counter.ts";
import { TokenizerError, type TokenizerReader } from "../tokenizer/tokenizer-files.ts";

interface Counting {
  /** undefined: by estimate. */
  readonly by?: CountedBy;
  /** undefined where the chat template does not take the conversation. @throws TokenizerError */
  count(document: Uint8Array): Promise<number | undefined>;
  /** Notes the count of a trajectory, and says why it stays out. */
  reasonAgainst(id: string, count: number | undefined): string | undefined;
  of(id: string): number | undefined;
  counted(): CountedTokens | undefined;
}

/** Whether the tokens of each trajectory have to be known before rows are made. */
export function countsTokens({ tokenizer, minTokens, maxTokens, mix }: DatasetRequest): boolean {
  return [tokenizer, minTokens, maxTokens, mix?.tokenBudget].some((wanted) => wanted !== undefined);
}

/**
 * How a request wants tokens counted; undefined where it does not.
 * @throws TokenizerError
 */
export async function countingFor(
  request: DatasetRequest,
  { tokenizers, compute }: { readonly tokenizers?: TokenizerReader; readonly compute: Compute },
): Promise<Counting | undefined> {
  if (!countsTokens(request)) return undefined;
  const { tokenizer, minTokens = 0, maxTokens = Number.POSITIVE_INFINITY } = request;
  if (tokenizer !== undefined && tokenizers === undefined) {
    throw new TokenizerError(
      `the tokenizer ${tokenizer} cannot be read where this dataset is made; export it with gymline export --tokenizer`,
    );
  }
  const files = tokenizer === undefined ? undefined : await tokenizers?.(tokenizer);
  const by = files === undefined ? undefined : await countedBy(files);
  const known: TokensTask["tokenizer"] =
    files === undefined || by === undefined ? undefined : { sha256: by.tokenizer.sha256, files };
  const tokens = new Map<string, number>();
  return {
    ...(by === undefined ? {} : { by }),
    count: async (document) => {
      const made = await compute.tokens({ document, tokenizer: known });
      if (made.kind === "fault") throw new TokenizerError(made.why);
      return made.kind === "refused" ? undefined : made.tokens;
    },
    reasonAgainst: (id, count) => {
      if (count === undefined) return "the chat template does not take its conversation";
      if (count < minTokens) return "too few tokens";
      if (count > maxTokens) return "too many tokens";
      tokens.set(id, count);
      return undefined;
    },
    of: (id) => tokens.get(id),
    counted: () => (by === undefined ? undefined : { by, of: tokens }),
  };
}
