import type { ModelPrice } from "../judge/config.ts";
import { costOf, priceOf } from "../judge/prices.ts";
import { ChatModelError } from "../ports/chat-model.ts";
import type { ToolChat, ToolChatAnswer } from "../ports/tool-chat.ts";
import {
  type Agent,
  type AgentEpisode,
  AgentError,
  type AgentTurn,
  type EpisodeStart,
  type Observation,
} from "./agent.ts";
import { ChatHistory } from "./chat-history.ts";

/** How a chat model acts. Limits are those of one episode. */
export interface ChatAgentOptions {
  /** Of the harness, for the record. */
  readonly name?: string;
  readonly version?: string;
  /** Stands above an environment's own instructions; "" for none. */
  readonly system?: string;
  /** Most tokens of one answer, thinking among them; default 8,192. */
  readonly answerTokens?: number;
  readonly temperature?: number;
  /** Whether the episode's seed goes to the provider; default true. */
  readonly sendsSeed?: boolean;
  readonly maxTurns?: number;
  /** Of all prompts and answers together, cached tokens among them. */
  readonly maxTokens?: number;
  /** US dollars. Needs a price of the model. */
  readonly maxUsd?: number;
  /** By the start of a model's name; before the known prices. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** Longer observations lose their middle; default 32,000 characters. */
  readonly observationCharacters?: number;
  /** Tokens that fit into the model's context, prompt and answer together. Absent: the provider is to say. */
  readonly contextTokens?: number;
  /**
   * What happens when they no longer fit. `stop` (default) ends the episode. `forget` takes out the oldest results;
   * the turn says how many are gone.
   */
  readonly onOverflow?: "stop" | "forget";
}

/** An agent cannot be made as it is set up. Says what to change. */
export class AgentSettingsError extends Error {
  override readonly name = "AgentSettingsError";
}

/** What stands above the task where nothing else is given. */
export const SYSTEM_PROMPT = [
  "You work on a task by calling the tools you are given.",
  "Look before you act, and do not guess what a tool can tell you.",
  "Independent calls may go into one turn.",
  "Once the task is done, finish in the way that the task or the tools ask for.",
].join(" ");

/** An agent that a chat model drives: its tools go to the provider natively. @throws AgentSettingsError */
export function chatAgent(chat: ToolChat, options: ChatAgentOptions = {}): Agent {
  const price = priceOf(chat.model, options.prices);
  if (options.maxUsd !== undefined && price === null) {
    throw new AgentSettingsError(
      `There is no price of ${chat.model}, so a limit on costs cannot be kept: give its price, or leave the limit out`,
    );
  }
  return {
    name: options.name ?? "gymline",
    version: options.version ?? "1",
    model: chat.model,
    begin: (start) => new ChatEpisode(start, { chat, options, price }),
  };
}

interface Acting {
  readonly chat: ToolChat;
  readonly options: ChatAgentOptions;
  readonly price: ModelPrice | null;
}

class ChatEpisode implements AgentEpisode {
  readonly systemPrompt: string | null;
  readonly #start: EpisodeStart;
  readonly #acting: Acting;
  readonly #history: ChatHistory;
  #turns = 0;
  #tokens = 0;
  #usd = 0;

  constructor(start: EpisodeStart, acting: Acting) {
    const { system = SYSTEM_PROMPT, observationCharacters = 32_000 } = acting.options;
    const told = [system, start.instructions ?? ""].filter((text) => text.trim() !== "").join("\n\n");
    this.systemPrompt = told === "" ? null : told;
    this.#start = start;
    this.#acting = acting;
    this.#history = new ChatHistory({ observationCharacters });
  }

  async act(observations: readonly Observation[], signal?: AbortSignal): Promise<AgentTurn> {
    this.#history.observe(observations);
    this.#checkBudget();
    this.#makeRoom();
    const answer = await this.#complete(signal);
    const { price } = this.#acting;
    const costUsd = price === null ? undefined : costOf(answer.usage, price, { batch: false });
    const { input, cacheRead, cacheWrite, output } = answer.usage;
    this.#turns += 1;
    this.#tokens += input + cacheRead + cacheWrite + output;
    this.#usd += costUsd ?? 0;
    const { forgotten } = this.#history;
    this.#history.answer(answer);
    return {
      message: answer.text,
      ...(answer.reasoning === undefined ? {} : { reasoning: answer.reasoning }),
      calls: answer.calls,
      usage: answer.usage,
      ...(costUsd === undefined ? {} : { costUsd }),
      ...(answer.tokens === undefined ? {} : { tokens: answer.tokens }),
      ...(forgotten === 0 ? {} : { forgotten }),
      stop: answer.stop === "context" ? "length" : answer.stop,
    };
  }

  #checkBudget(): void {
    const { maxTurns, maxTokens, maxUsd } = this.#acting.options;
    const over = (what: string) =>
      new AgentError(`The episode has used up its ${what}`, { reason: "budget" });
    if (maxTurns !== undefined && this.#turns >= maxTurns) throw over(`${maxTurns} turns`);
    if (maxTokens !== undefined && this.#tokens >= maxTokens) throw over(`${maxTokens} tokens`);
    if (maxUsd !== undefined && this.#usd >= maxUsd) throw over(`$${maxUsd}`);
  }

  /** More than needed is taken out at once: each time the provider's cache begins anew. */
  #makeRoom(): void {
    const { contextTokens, onOverflow } = this.#acting.options;
    if (contextTokens === undefined) return;
    const room = contextTokens - this.#answerTokens;
    const over = this.#history.tokens - room;
    if (over <= 0) return;
    if (onOverflow !== "forget") throw this.#overflow();
    this.#history.forget(over + room * 0.25);
    if (this.#history.tokens > room) throw this.#overflow();
  }

  async #complete(signal: AbortSignal | undefined): Promise<ToolChatAnswer> {
    const { chat, options } = this.#acting;
    for (;;) {
      try {
        const request = {
          system: this.systemPrompt ?? "",
          messages: this.#history.messages,
          tools: this.#start.tools,
          maxTokens: this.#answerTokens,
          ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
          ...(options.sendsSeed === false ? {} : { seed: this.#start.seed }),
        };
        return await chat.complete(request, signal);
      } catch (error) {
        if (!(error instanceof ChatModelError)) throw error;
        if (!error.overflow) throw new AgentError(error.message, { reason: "provider", cause: error });
        // How far it is over nobody says; half of what can go is tried, then half of the rest.
        const { forgettable } = this.#history;
        const made = options.onOverflow === "forget" && this.#history.forget(forgettable / 2);
        if (!made) throw this.#overflow(error);
      }
    }
  }

  get #answerTokens(): number {
    return this.#acting.options.answerTokens ?? 8192;
  }

  #overflow(cause?: ChatModelError): AgentError {
    const { model } = this.#acting.chat;
    return new AgentError(`The episode no longer fits into the context of ${model}`, {
      reason: "context",
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
