import type { ChatModel } from "../../ports/chat-model.ts";
import { anthropicAnswer } from "./anthropic-answer.ts";
import { AnthropicBatches } from "./anthropic-batches.ts";
import { type AnthropicAccess, anthropicClient } from "./anthropic-client.ts";
import { type AnthropicStructured, messageParams } from "./anthropic-request.ts";
import { CallPolicy } from "./call-policy.ts";
import { systemWaits } from "./waits.ts";

export interface AnthropicOptions extends AnthropicAccess {
  /** Default `native`; `tool` for models and servers that do not know constrained answers. */
  readonly structured?: AnthropicStructured;
}

/** A model behind Anthropic's Messages API. @throws ModelSettingsError */
export function anthropicModel(options: AnthropicOptions): ChatModel {
  const { model, structured = "native", waits = systemWaits } = options;
  const label = `anthropic ${model}`;
  const policy = new CallPolicy({ label, limits: options, waits });
  const client = anthropicClient(options, label);
  return {
    provider: "anthropic",
    model,
    complete: async (request, signal) => {
      const params = messageParams({ model, structured }, request);
      return policy.run(
        async (stop) => anthropicAnswer(await client.messages.create(params, { signal: stop }), structured),
        { signal },
      );
    },
    batches: new AnthropicBatches({ client, policy, model, structured }),
  };
}
