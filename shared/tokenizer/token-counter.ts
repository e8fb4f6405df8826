import type { Tokenizer } from "@huggingface/tokenizers";
import type { Trajectory } from "../trajectory/schema.ts";
import { type ChatTemplate, chatTemplateOf, RefusedConversationError } from "./chat-template.ts";
import { segmenterOf } from "./segments.ts";
import { type ReadTokenizer, readTokenizer, TokenizerError, type TokenizerFiles } from "./tokenizer-files.ts";
import { trajectoryTexts } from "./trajectory-texts.ts";

/** How tokens were counted, as a manifest says it. */
export interface CountedBy {
  readonly tokenizer: { readonly name: string; readonly sha256: string };
  /** `chat-template`: of the rendered conversation with its tools. `texts`: of the texts alone, one by one. */
  readonly of: "chat-template" | "texts";
}

/** Tokens of trajectories by their ids. */
export interface CountedTokens {
  readonly by: CountedBy;
  readonly of: ReadonlyMap<string, number>;
}

/** Counts tokens of trajectories by a Hugging Face tokenizer. */
export interface TokenCounter {
  readonly by: CountedBy;
  /** undefined where the chat template does not take the conversation. @throws TokenizerError where the template fails */
  readonly trajectory: (trajectory: Pick<Trajectory, "agent" | "steps">) => number | undefined;
  readonly text: (text: string) => number;
}

/** How the tokenizer will count, without making it ready to. @throws TokenizerError where its files or template are faulty */
export async function countedBy(files: TokenizerFiles): Promise<CountedBy> {
  const read = readTokenizer(files);
  return byOf(read, await templateOf(read));
}

/**
 * Takes a second or so and some hundred MiB for a vocabulary of 150,000. No special token is added to what the template
 * writes, as `apply_chat_template` does it.
 * @throws TokenizerError
 */
export async function tokenCounter(files: TokenizerFiles): Promise<TokenCounter> {
  const read = readTokenizer(files);
  const [encode, template] = await Promise.all([encoderOf(read), templateOf(read)]);
  const text = countingOf(read, encode);
  return {
    by: byOf(read, template),
    text,
    trajectory: (trajectory) => {
      if (template === undefined) {
        let tokens = 0;
        for (const each of trajectoryTexts(trajectory)) tokens += text(each);
        return tokens;
      }
      let rendered: string;
      try {
        rendered = template.render(trajectory);
      } catch (cause) {
        if (cause instanceof RefusedConversationError) return undefined;
        throw templateFault(read, cause);
      }
      return text(rendered);
    },
  };
}

function byOf({ name, sha256 }: ReadTokenizer, template: ChatTemplate | undefined): CountedBy {
  return { tokenizer: { name, sha256 }, of: template === undefined ? "texts" : "chat-template" };
}

async function encoderOf(read: ReadTokenizer): Promise<(text: string) => number> {
  const module = await import("@huggingface/tokenizers");
  let tokenizer: Tokenizer;
  try {
    tokenizer = new module.Tokenizer(read.tokenizer, read.config);
    tokenizer.encode("probe", { add_special_tokens: false });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown fault";
    throw new TokenizerError(
      `the tokenizer ${read.name} cannot be used: ${why}; give one with another model, or none for an estimate`,
      { cause },
    );
  }
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids.length;
}

async function templateOf(read: ReadTokenizer): Promise<ChatTemplate | undefined> {
  try {
    return await chatTemplateOf(read);
  } catch (cause) {
    throw templateFault(read, cause);
  }
}

function templateFault({ name }: ReadTokenizer, cause: unknown): TokenizerError {
  const why = cause instanceof Error ? cause.message : "unknown fault";
  return new TokenizerError(
    `the chat template of the tokenizer ${name} cannot be used: ${why}; correct it, or take it out to count texts alone`,
    { cause },
  );
}

/** Shorter ones are counted faster than found. */
const SHORTEST_KEPT = 64;
/** Characters of texts that are kept with their counts. */
const KEPT_CHARACTERS = 16 * 1024 * 1024;

/** System prompts, tools and tasks come again and again: what was counted lately is not counted anew. */
function countingOf(read: ReadTokenizer, encode: (text: string) => number): (text: string) => number {
  const segments = segmenterOf(read) ?? ((text: string) => (text === "" ? [] : [text]));
  const kept = new Map<string, number>();
  let characters = 0;
  const count = (segment: string): number => {
    if (segment.length < SHORTEST_KEPT) return encode(segment);
    const known = kept.get(segment);
    if (known !== undefined) {
      kept.delete(segment);
      kept.set(segment, known);
      return known;
    }
    const tokens = encode(segment);
    kept.set(segment, tokens);
    characters += segment.length;
    for (const oldest of kept.keys()) {
      if (characters <= KEPT_CHARACTERS) break;
      kept.delete(oldest);
      characters -= oldest.length;
    }
    return tokens;
  };
  return (text) => {
    let tokens = 0;
    for (const segment of segments(text)) tokens += count(segment);
    return tokens;
  };
}
