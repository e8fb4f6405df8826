import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { z } from "zod";
import type { ChatAnswer, ChatModel, ChatRequest, StopReason } from "../../ports/chat-model.ts";
import { CallPolicy } from "./call-policy.ts";
import { type LimitName, type OpenAiAccess, openAiClient } from "./openai-client.ts";
import { openAiUsage, openAiUsageSchema } from "./openai-usage.ts";
import { MisshapenAnswer } from "./provider-fault.ts";
import { type AnswerSchema, closed, schemaInstruction, schemaName, unwrappedJson } from "./structured.ts";
import { systemWaits } from "./waits.ts";

/**
 * How JSON is asked for. `json_schema`: the provider constrains the answer by the schema. `json_object`: it
 * constrains the answer to JSON, and the system text tells which. `prompt`: the system text alone tells.
 */
export type OpenAiStructured = "json_schema" | "json_object" | "prompt";

export interface OpenAiOptions extends OpenAiAccess {
  /** Default `json_schema`. */
  readonly structured?: OpenAiStructured;
}

/** A model behind Chat Completions: OpenAI, vLLM, Moonshot and others. @throws ModelSettingsError */
export function openAiCompatibleModel(options: OpenAiOptions): ChatModel {
  const { model, structured = "json_schema", waits = systemWaits } = options;
  const label = `openai-compatible ${model}`;
  const policy = new CallPolicy({ label, limits: options, waits });
  const { client, limitName } = openAiClient(options, label);
  return {
    provider: "openai-compatible",
    model,
    complete: async (request, signal) => {
      const params = completionParams({ model, structured, limitName }, request);
      return policy.run(
        async (stop) => {
          const body = await client.chat.completions.create(params, { signal: stop });
          return completionAnswer(body, request.schema !== undefined);
        },
        { signal },
      );
    },
  };
}

function completionParams(
  how: {
    readonly model: string;
    readonly structured: OpenAiStructured;
    readonly limitName: LimitName;
  },
  request: ChatRequest,
): ChatCompletionCreateParamsNonStreaming {
  const { schema } = request;
  const told = schema !== undefined && how.structured !== "json_schema" ? schemaInstruction(schema) : "";
  const system = [request.system, told].filter((text) => text.trim() !== "").join("\n\n");
  return {
    model: how.model,
    messages: [
      ...(system === "" ? [] : [{ role: "system" as const, content: system }]),
      ...request.messages.map(({ role, content }) => ({ role, content })),
    ],
    [how.limitName]: request.maxTokens,
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(schema === undefined ? {} : responseFormat(schema, how.structured)),
  };
}

function responseFormat(
  schema: AnswerSchema,
  structured: OpenAiStructured,
): Pick<ChatCompletionCreateParamsNonStreaming, "response_format"> {
  if (structured === "prompt") return {};
  if (structured === "json_object") return { response_format: { type: "json_object" } };
  return {
    response_format: {
      type: "json_schema",
      json_schema: { name: schemaName(schema), schema: closed(schema.schema), strict: true },
    },
  };
}

const completion = z.object({
  model: z.string(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
  usage: openAiUsageSchema.nullish(),
});

const STOPS: Readonly<Record<string, StopReason>> = {
  stop: "end",
  tool_calls: "end",
  length: "length",
  content_filter: "refusal",
};

/** Reads a completion. A server that tells no usage is taken to have used nothing. @throws MisshapenAnswer */
function completionAnswer(body: unknown, wantsJson: boolean): ChatAnswer {
  const parsed = completion.safeParse(body);
  const choice = parsed.data?.choices[0];
  if (!parsed.success || choice === undefined) throw new MisshapenAnswer("a completion", parsed.error);
  const { model, usage } = parsed.data;
  const { content, refusal } = choice.message;
  const declined = typeof refusal === "string" && refusal !== "";
  const said = declined ? refusal : (content ?? "");
  return {
    text: wantsJson && !declined ? unwrappedJson(said) : said,
    stop: declined ? "refusal" : (STOPS[choice.finish_reason ?? ""] ?? "other"),
    usage: openAiUsage(usage),
    model,
  };
}
