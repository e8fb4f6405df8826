import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { type CountedBy, type CountedTokens, tokenCounter } from "../tokenizer/token-counter.ts";
import { TokenizerError, type TokenizerReader } from "../tokenizer/tokenizer-files.ts";
import { estimatedTokens } from "../tokenizer/trajectory-texts.ts";
import type { Trajectory } from "../trajectory/schema.ts";

interface Counting {
  /** undefined: by estimate. */
  readonly by?: CountedBy;
  /** Counts a trajectory, and says why it stays out. */
  reasonAgainst(id: string, trajectory: Trajectory): string | undefined;
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
  { tokenizers }: { readonly tokenizers?: TokenizerReader },
): Promise<Counting | undefined> {
  if (!countsTokens(request)) return undefined;
  const { tokenizer, minTokens = 0, maxTokens = Number.POSITIVE_INFINITY } = request;
  if (tokenizer !== undefined && tokenizers === undefined) {
    throw new TokenizerError(
      `the tokenizer ${tokenizer} cannot be read where this dataset is made; export it with gymline export --tokenizer`,
    );
  }
  const counter =
    tokenizer === undefined ? undefined : await tokenizers?.(tokenizer).then((files) => tokenCounter(files));
  const tokens = new Map<string, number>();
  const by = counter?.by;
  return {
    ...(by === undefined ? {} : { by }),
    reasonAgainst: (id, trajectory) => {
      const count = counter === undefined ? estimatedTokens(trajectory) : counter.trajectory(trajectory);
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
