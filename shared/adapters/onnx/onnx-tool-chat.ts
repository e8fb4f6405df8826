import { basename, dirname } from "node:path";
import { chatTools } from "../../dataset/targets/chat-tools.ts";
import { endsInThinking, readAnswer } from "../../inference/answer-text.ts";
import { type NativeAnswer, nativeAnswer, templateConversation } from "../../inference/chat-messages.ts";
import { Decoder, type Generated } from "../../inference/decoder.ts";
import { type ModelConfig, ModelFolderError, readModelConfig } from "../../inference/model-config.ts";
import { checkSampling, type Sampling } from "../../inference/sampling.ts";
import { type TextModel, textModel } from "../../inference/text-model.ts";
import { syntaxOf, type ToolSyntax } from "../../inference/tool-calls/syntax.ts";
import { type CausalModel, InferenceError } from "../../ports/causal-model.ts";
import { ChatModelError } from "../../ports/chat-model.ts";
import type { ToolChat, ToolChatAnswer, ToolChatCall, ToolChatRequest } from "../../ports/tool-chat.ts";
import { createRandom, type Random } from "../../statistics/random.ts";
import { RefusedConversationError } from "../../tokenizer/chat-template.ts";
import { type OnnxPrecision, openModelFolder } from "./model-folder.ts";
import { onnxCausalModel } from "./onnx-causal-model.ts";

export interface OnnxToolChatOptions {
  /** Folder of an exported model, or of the training run that it lies in. */
  readonly folder: string;
  /** Name of the model in trajectories; default: the folder's, or the run's whose `onnx/` it is. */
  readonly name?: string | undefined;
  /** Default: fp32 where it is there. */
  readonly precision?: OnnxPrecision | undefined;
  /** Where a request gives none; default: what generation_config.json says, else 0. */
  readonly temperature?: number | undefined;
  readonly topK?: number | undefined;
  readonly topP?: number | undefined;
  /** Of requests that give none; default 0. */
  readonly seed?: number | undefined;
  /** Default: told from the chat template. */
  readonly toolSyntax?: ToolSyntax | undefined;
  /** Default: what config.json says, which is the most. */
  readonly contextTokens?: number | undefined;
  /** Answers that are written at a time; default 8. */
  readonly batch?: number | undefined;
  /** Memory for what was read before; default 1 GiB. */
  readonly cacheBytes?: number | undefined;
  /** Threads of the runtime; default: as it finds fit. */
  readonly threads?: number | undefined;
}

/** A model of one's own, run in this process. */
export interface OnnxToolChat extends ToolChat {
  readonly toolSyntax: ToolSyntax;
  close(): Promise<void>;
}

/**
 * Runs a model that was exported to ONNX. Prompts are rendered by the chat template that came with it, tools included.
 * Equal requests with equal seeds get equal answers.
 * @throws ModelFolderError, RangeError for settings that cannot be, InferenceError without a runtime
 */
export async function onnxToolChat(options: OnnxToolChatOptions): Promise<OnnxToolChat> {
  const found = await openModelFolder(options.folder, options.precision);
  const config = readModelConfig(found.config, found.generation);
  const text = await textModel(found.tokenizer, found.folder);
  const toolSyntax = options.toolSyntax ?? syntaxOf(text.template);
  if (toolSyntax === undefined) {
    throw new ModelFolderError(
      `the chat template of ${found.folder} writes calls of tools in no way that is known: say which is the model's own (hermes, llama, mistral, qwen-xml, action), or none if it calls nothing`,
    );
  }
  const sampling = samplingOf(options, config);
  checkSampling(sampling);
  const { heads, width } = config;
  const model = await onnxCausalModel({ path: found.model, heads, width, threads: options.threads });
  if (text.vocabulary > model.vocabulary) {
    await model.close();
    throw new ModelFolderError(
      `${found.folder}: the tokenizer has ${text.vocabulary} tokens, but ${found.model} gives logits of ${model.vocabulary}: tokenizer and model are not of one export`,
    );
  }
  const contextTokens = Math.min(config.contextTokens, options.contextTokens ?? config.contextTokens);
  const own = basename(found.folder);
  const name = options.name ?? (own === "onnx" ? basename(dirname(found.folder)) : own);
  const stopIds = config.stopIds.length > 0 ? config.stopIds : text.endIds;
  return new Chat({
    options,
    model,
    text,
    toolSyntax,
    sampling,
    contextTokens,
    name,
    stopIds: new Set(stopIds),
  });
}

function samplingOf(options: OnnxToolChatOptions, { sampling }: ModelConfig): Sampling {
  const { temperature, topK = sampling.topK, topP = sampling.topP } = options;
  return {
    temperature: temperature ?? sampling.temperature,
    ...(topK === undefined ? {} : { topK }),
    ...(topP === undefined ? {} : { topP }),
  };
}

interface Parts {
  readonly options: OnnxToolChatOptions;
  readonly model: CausalModel;
  readonly text: TextModel;
  readonly toolSyntax: ToolSyntax;
  readonly sampling: Sampling;
  readonly contextTokens: number;
  readonly name: string;
  readonly stopIds: ReadonlySet<number>;
}

/** A prompt as text and as tokens. */
interface Prompt {
  readonly text: string;
  readonly ids: readonly number[];
}

class Chat implements OnnxToolChat {
  readonly provider = "onnx";
  readonly model: string;
  readonly toolSyntax: ToolSyntax;
  readonly #parts: Parts;
  readonly #decoder: Decoder;

  constructor(parts: Parts) {
    const { batch, cacheBytes } = parts.options;
    this.model = parts.name;
    this.toolSyntax = parts.toolSyntax;
    this.#parts = parts;
    this.#decoder = new Decoder(parts.model, {
      contextTokens: parts.contextTokens,
      ...(batch === undefined ? {} : { batch }),
      ...(cacheBytes === undefined ? {} : { cacheBytes }),
    });
  }

  async complete(request: ToolChatRequest, signal?: AbortSignal): Promise<ToolChatAnswer> {
    signal?.throwIfAborted();
    const { options, contextTokens, stopIds, sampling } = this.#parts;
    const prompt = this.#prompt(request);
    if (prompt.ids.length === 0) {
      throw new ChatModelError(
        `${this.model}: the chat template makes nothing of the conversation: correct it, in training as well`,
        { permanent: true },
      );
    }
    if (prompt.ids.length >= contextTokens) {
      throw new ChatModelError(
        `the prompt has ${prompt.ids.length} tokens, and ${this.model} takes ${contextTokens} with its answer`,
        { permanent: true, overflow: true },
      );
    }
    const { temperature = sampling.temperature, seed = options.seed ?? 0 } = request;
    const turn = request.messages.filter(({ role }) => role === "assistant").length;
    const chosen = { ...sampling, temperature };
    try {
      checkSampling(chosen);
      const generated = await this.#decoder.generate({
        ids: prompt.ids,
        maxTokens: request.maxTokens,
        stopIds,
        sampling: chosen,
        random: turnRandom(seed, turn),
        ...(signal === undefined ? {} : { signal }),
      });
      return this.#answer(request, { prompt, generated });
    } catch (cause) {
      if (!(cause instanceof InferenceError || cause instanceof RangeError)) throw cause;
      throw new ChatModelError(cause.message, { permanent: true, cause });
    }
  }

  close(): Promise<void> {
    return this.#parts.model.close();
  }

  /** Where it begins with an earlier prompt and its answer, their tokens are taken as they were, and only the rest is new. */
  #prompt(request: ToolChatRequest): Prompt {
    const { text: model, toolSyntax } = this.#parts;
    const text = this.#rendered(request, toolSyntax);
    const earlier = request.messages.findLast(
      (message) =>
        message.role === "assistant" && text.startsWith(nativeAnswer(message.answer.native).context),
    );
    if (earlier?.role !== "assistant") return { text, ids: model.encode(text) };
    const { context, ids } = nativeAnswer(earlier.answer.native);
    return { text, ids: [...ids, ...model.encode(text.slice(context.length))] };
  }

  #rendered(request: ToolChatRequest, syntax: ToolSyntax): string {
    try {
      return this.#parts.text.render({
        messages: templateConversation(request, syntax),
        tools: chatTools(request.tools.map((tool) => ({ ...tool }))),
        addGenerationPrompt: true,
      });
    } catch (cause) {
      if (!(cause instanceof RefusedConversationError || cause instanceof ModelFolderError)) throw cause;
      throw new ChatModelError(`${this.model}: ${cause.message}`, { permanent: true, cause });
    }
  }

  #answer(
    request: ToolChatRequest,
    { prompt, generated }: { readonly prompt: Prompt; readonly generated: Generated },
  ): ToolChatAnswer {
    const { text: model } = this.#parts;
    const { ids, logprobs, stop, reused } = generated;
    const written = model.decode(stop === "stop" ? ids.slice(0, -1) : ids);
    const answer = readAnswer(written, {
      syntax: this.toolSyntax,
      tools: request.tools,
      cut: stop !== "stop",
      thinking: endsInThinking(prompt.text),
    });
    const native: NativeAnswer = {
      context: prompt.text + model.decode(ids),
      ids: [...prompt.ids, ...ids],
      written,
    };
    return {
      text: answer.text,
      ...(answer.reasoning === undefined ? {} : { reasoning: answer.reasoning }),
      calls: answer.calls.map(
        (call, index): ToolChatCall => ({ id: callId(request.messages.length, index), ...call }),
      ),
      stop: stop !== "stop" ? stop : answer.calls.length > 0 ? "calls" : "end",
      usage: { input: prompt.ids.length - reused, cacheRead: reused, cacheWrite: 0, output: ids.length },
      model: this.model,
      tokens: { promptIds: prompt.ids, completionIds: ids, logprobs },
      native,
    };
  }
}

/** Nine letters and digits, which is what Mistral's templates ask of an id. */
function callId(turn: number, index: number): string {
  return `call${String(turn).padStart(3, "0")}${String(index).padStart(2, "0")}`;
}

/** Another stream for each turn of an episode. */
function turnRandom(seed: number, turn: number): Random {
  const seeds = createRandom(seed);
  let own = seeds.uint32();
  for (let passed = 0; passed < turn; passed += 1) own = seeds.uint32();
  return createRandom(own);
}
