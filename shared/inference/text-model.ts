import {
  type ChatTemplate,
  chatTemplateOf,
  RefusedConversationError,
  type TemplateConversation,
} from "../tokenizer/chat-template.ts";
import { readTokenizer, TokenizerError, type TokenizerFiles } from "../tokenizer/tokenizer-files.ts";
import { ModelFolderError } from "./model-config.ts";

/** A model's tokenizer and chat template. */
export interface TextModel {
  /** Text of the template, as it is used with tools. */
  readonly template: string;
  /** One more than the largest token id. */
  readonly vocabulary: number;
  /** Ids of the token that ends a turn, as far as the tokenizer's configuration says it. */
  readonly endIds: readonly number[];
  /** @throws RefusedConversationError, ModelFolderError where the template fails */
  render(conversation: TemplateConversation): string;
  /** No special token is added to what the template wrote. */
  encode(text: string): readonly number[];
  /** Special tokens included. */
  decode(ids: readonly number[]): string;
}

/** `folder`: named in errors. @throws ModelFolderError */
export async function textModel(files: TokenizerFiles, folder: string): Promise<TextModel> {
  const remedy = "export the model again, or copy the file from where it was trained";
  try {
    const read = readTokenizer(files);
    const { Tokenizer } = await import("@huggingface/tokenizers");
    const tokenizer = new Tokenizer(read.tokenizer, read.config);
    const encode = (text: string): readonly number[] =>
      text === "" ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids;
    encode("probe");
    const template = await templateIn(folder, () => chatTemplateOf(read));
    if (template === undefined) {
      throw new ModelFolderError(
        `${folder} has no chat template: put it beside the tokenizer as chat_template.jinja, or into tokenizer_config.json as chat_template`,
      );
    }
    const end = read.special["eos_token"];
    const endId = end === undefined ? undefined : tokenizer.token_to_id(end);
    return {
      template: template.source,
      vocabulary: 1 + largestId(read.tokenizer),
      endIds: endId === undefined ? [] : [endId],
      render: (conversation) => rendered(template, conversation, folder),
      encode,
      decode: (ids) =>
        ids.length === 0
          ? ""
          : tokenizer.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    };
  } catch (cause) {
    if (cause instanceof ModelFolderError) throw cause;
    if (cause instanceof TokenizerError) throw new ModelFolderError(`${folder}: ${cause.message}`, { cause });
    throw new ModelFolderError(`${folder}: tokenizer.json cannot be used (${reasonOf(cause)}): ${remedy}`, {
      cause,
    });
  }
}

async function templateIn<T>(folder: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw templateFault(folder, cause);
  }
}

function rendered(template: ChatTemplate, conversation: TemplateConversation, folder: string): string {
  try {
    return template.renderMessages(conversation);
  } catch (cause) {
    if (cause instanceof RefusedConversationError) throw cause;
    throw templateFault(folder, cause);
  }
}

function templateFault(folder: string, cause: unknown): ModelFolderError {
  return new ModelFolderError(
    `the chat template of ${folder} cannot be used (${reasonOf(cause)}): correct it, in training as well`,
    { cause },
  );
}

function largestId(tokenizer: { readonly model: object; readonly added_tokens: readonly object[] }): number {
  const vocabulary = "vocab" in tokenizer.model ? tokenizer.model.vocab : undefined;
  const own = Array.isArray(vocabulary)
    ? vocabulary.length - 1
    : Object.values(vocabulary ?? {}).reduce<number>((most, id) => Math.max(most, Number(id)), -1);
  return tokenizer.added_tokens.reduce<number>(
    (most, token) => ("id" in token ? Math.max(most, Number(token.id)) : most),
    own,
  );
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
