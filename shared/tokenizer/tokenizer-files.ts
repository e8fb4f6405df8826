import { createHash } from "node:crypto";
import { z } from "zod";

/** What of a folder with a Hugging Face tokenizer counts. */
export interface TokenizerFiles {
  /** Name of the folder. */
  readonly name: string;
  /** `tokenizer.json`. */
  readonly tokenizer: Uint8Array;
  /** `tokenizer_config.json`. */
  readonly config?: Uint8Array;
  /** `chat_template.jinja`, which goes before a template in the configuration. */
  readonly template?: Uint8Array;
}

/** Names of the files, the first of which must be there. */
export const TOKENIZER_FILES = {
  tokenizer: "tokenizer.json",
  config: "tokenizer_config.json",
  template: "chat_template.jinja",
} as const;

/** Reads the folder of a tokenizer that a request names. */
export type TokenizerReader = (path: string) => Promise<TokenizerFiles>;

/** A tokenizer cannot be read or used. The message names folder, file and remedy. */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
}

const tokenizerSchema = z.looseObject({
  // Others are read by the library as if they were something else.
  model: z.looseObject({
    type: z.enum(["BPE", "WordPiece", "Unigram"], "is none of BPE, WordPiece and Unigram").optional(),
  }),
  added_tokens: z
    .array(
      z.looseObject({
        content: z.string(),
        lstrip: z.boolean().optional(),
        rstrip: z.boolean().optional(),
        normalized: z.boolean().optional(),
        single_word: z.boolean().optional(),
      }),
    )
    .default([]),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
});

const tokenText = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();

const configSchema = z.looseObject({
  chat_template: z
    .union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))])
    .nullish(),
  bos_token: tokenText,
  eos_token: tokenText,
  unk_token: tokenText,
  sep_token: tokenText,
  pad_token: tokenText,
  cls_token: tokenText,
  mask_token: tokenText,
});

const SPECIAL = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
] as const;

/** The files as data. */
export interface ReadTokenizer {
  readonly name: string;
  /** Of the contents of the files, whatever the folder is called and wherever it lies. */
  readonly sha256: string;
  readonly tokenizer: z.infer<typeof tokenizerSchema>;
  readonly config: Readonly<Record<string, unknown>>;
  /** Chat templates by name: `default`, and `tool_use` where there is one for conversations with tools. */
  readonly templates: ReadonlyMap<string, string>;
  /** Texts of special tokens, such as `eos_token`, as templates use them. */
  readonly special: Readonly<Record<string, string>>;
}

/** @throws TokenizerError */
export function readTokenizer(files: TokenizerFiles): ReadTokenizer {
  const tokenizer = parsed(tokenizerSchema, { files, part: "tokenizer", bytes: files.tokenizer });
  const config =
    files.config === undefined ? {} : parsed(configSchema, { files, part: "config", bytes: files.config });
  const special = SPECIAL.flatMap((name) => {
    const token = config[name] ?? undefined;
    return token === undefined ? [] : [[name, typeof token === "string" ? token : token.content] as const];
  });
  return {
    name: files.name,
    sha256: contentHash(files),
    tokenizer,
    config,
    templates: templatesOf(files, config.chat_template ?? undefined),
    special: Object.fromEntries(special),
  };
}

function templatesOf(
  { template }: TokenizerFiles,
  configured: z.infer<typeof configSchema>["chat_template"],
): ReadonlyMap<string, string> {
  if (template !== undefined) return new Map([["default", textOf(template)]]);
  if (typeof configured === "string") return new Map([["default", configured]]);
  return new Map((configured ?? []).map((each) => [each.name, each.template]));
}

/** Each part with its length, so that no two folders give the same bytes to hash. */
function contentHash({ tokenizer, config, template }: TokenizerFiles): string {
  const hash = createHash("sha256");
  for (const part of [tokenizer, config, template]) {
    hash.update(`${part === undefined ? "none" : part.byteLength}\n`);
    if (part !== undefined) hash.update(part);
  }
  return hash.digest("hex");
}

function parsed<T extends z.ZodType>(
  schema: T,
  {
    files,
    part,
    bytes,
  }: { readonly files: TokenizerFiles; readonly part: "tokenizer" | "config"; readonly bytes: Uint8Array },
): z.output<T> {
  const file = `${TOKENIZER_FILES[part]} of the tokenizer ${files.name}`;
  const remedy = "give a folder that tokenizer.save_pretrained wrote, or that was downloaded with the model";
  let value: unknown;
  try {
    value = JSON.parse(textOf(bytes));
  } catch (cause) {
    throw new TokenizerError(`${file} is no JSON; ${remedy}`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new TokenizerError(
    `${file} is not what it should be: ${issue?.path.join(".") || "$"}: ${issue?.message}; ${remedy}`,
    { cause: result.error },
  );
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
