import type { JsonObject, ToolDefinition } from "../env/protocol.ts";
import type { TokenUsage } from "./chat-model.ts";

/** One turn of a conversation in which the model may call tools. */
export interface ToolChatRequest {
  readonly system: string;
  /** Starts with a user message; results answer the calls of the answer before, each exactly once. */
  readonly messages: readonly ToolChatMessage[];
  readonly tools: readonly ToolDefinition[];
  /** Most tokens of the answer, thinking among them. */
  readonly maxTokens: number;
  /** Left to the provider where it is absent; some models take none. */
  readonly temperature?: number;
  /** Sent where the provider takes one. */
  readonly seed?: number;
}

export type ToolChatMessage =
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "results"; readonly results: readonly ToolChatResult[] }
  | { readonly role: "assistant"; readonly answer: ToolChatAnswer };

export interface ToolChatResult {
  readonly callId: string;
  readonly text: string;
  readonly isError: boolean;
}

export interface ToolChatCall {
  readonly id: string;
  readonly tool: string;
  readonly params: JsonObject;
  /** The arguments as the model wrote them, where they are no JSON object or were cut off; `params` is empty then. */
  readonly rawArguments?: string;
}

export interface ToolChatAnswer {
  readonly text: string;
  /** What the provider shows of the model's thinking. */
  readonly reasoning?: string;
  readonly calls: readonly ToolChatCall[];
  /** `length`: cut off at `maxTokens`. `context`: cut off at the end of the model's context. */
  readonly stop: "end" | "calls" | "length" | "context" | "refusal" | "other";
  readonly usage: TokenUsage;
  /** As the provider names it. */
  readonly model: string;
  /** Exact tokens, where they were asked for and the server gives them. */
  readonly tokens?: ToolChatTokens;
  /** The answer as it came. The adapter that made it sends it back unchanged, with its thinking and signatures. */
  readonly native: unknown;
}

export interface ToolChatTokens {
  readonly promptIds: readonly number[];
  readonly completionIds: readonly number[];
  /** Natural logarithms, one for each of `completionIds`. */
  readonly logprobs?: readonly number[];
}

/** A chat model that calls tools. Retries, their waits and the limit on calls at a time are the adapter's own affair. */
export interface ToolChat {
  readonly provider: "anthropic" | "openai-compatible" | "onnx";
  readonly model: string;
  /** @throws ChatModelError; with `overflow` where the prompt is longer than the model takes */
  complete(request: ToolChatRequest, signal?: AbortSignal): Promise<ToolChatAnswer>;
}
