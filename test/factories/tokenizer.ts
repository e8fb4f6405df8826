import type { TokenizerFiles } from "../../shared/tokenizer/tokenizer-files.ts";

/** GPT-2's table: each byte as a character that is no blank and no control character. */
function byteCharacters(): readonly string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

const SPECIAL = ["<|start|>", "<|end|>"];

export interface TokenizerFacts {
  readonly name?: string;
  /** Chat template; without it texts are counted alone. */
  readonly template?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Pairs that become one token, such as `["a", "b"]`. */
  readonly merges?: readonly (readonly [string, string])[];
}

/** A byte-level tokenizer: as many tokens as UTF-8 bytes, but one for each `<|start|>`, `<|end|>` and merged pair. */
export function makeTokenizer(facts: TokenizerFacts = {}): TokenizerFiles {
  const { name = "bytes", template, config, merges = [] } = facts;
  const tokens = [...byteCharacters(), ...merges.map(([first, second]) => first + second)];
  const json = {
    version: "1.0",
    added_tokens: SPECIAL.map((content, index) => ({
      id: tokens.length + index,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((pair) => pair.join(" ")),
    },
  };
  return {
    name,
    tokenizer: Buffer.from(JSON.stringify(json)),
    ...(config === undefined ? {} : { config: Buffer.from(JSON.stringify(config)) }),
    ...(template === undefined ? {} : { template: Buffer.from(template) }),
  };
}

/** Each message between `<|start|>` and `<|end|>`, after its role and a line break. */
export const PLAIN_TEMPLATE =
  "{% for message in messages %}<|start|>{{ message.role }}\n{{ message.content }}<|end|>{% endfor %}";
