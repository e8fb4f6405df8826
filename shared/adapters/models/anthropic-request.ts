import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import type { MessageCreateParamsNonStreaming } from "@anthropic-ai/sdk/resources/messages/messages";
import { ChatModelError, type ChatRequest } from "../../ports/chat-model.ts";
import { type AnswerSchema, schemaInstruction, schemaName, withoutDialect } from "./structured.ts";

/**
 * How JSON is asked for. `native`: the provider constrains the answer (`output_config.format`). `tool`: the model has
 * to call a tool with the schema, which older models and other servers take too. `prompt`: the system text tells.
 */
export type AnthropicStructured = "native" | "tool" | "prompt";

/** Body of a Messages request. @throws ChatModelError where the schema cannot be asked for that way */
export function messageParams(
  { model, structured }: { readonly model: string; readonly structured: AnthropicStructured },
  request: ChatRequest,
): MessageCreateParamsNonStreaming {
  const { schema } = request;
  const told = schema !== undefined && structured === "prompt" ? schemaInstruction(schema) : "";
  const system = [request.system, told].filter((text) => text.trim() !== "").join("\n\n");
  return {
    model,
    max_tokens: request.maxTokens,
    // The mark stands behind all that is the same from call to call: tools come before the system text.
    ...(system === ""
      ? {}
      : { system: [{ type: "text", text: system, cache_control: { type: "ephemeral" } }] }),
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(schema === undefined ? {} : structuredParams(schema, structured)),
  };
}

function structuredParams(
  schema: AnswerSchema,
  structured: AnthropicStructured,
): Partial<MessageCreateParamsNonStreaming> {
  switch (structured) {
    case "native":
      return { output_config: { format: { type: "json_schema", schema: constrainable(schema) } } };
    case "tool": {
      const { type, ...rest } = withoutDialect(schema.schema);
      if (type !== "object") {
        throw new ChatModelError(
          `The schema "${schema.name}" describes no object, so it cannot be the input of a tool; wrap it in an object`,
          { permanent: true },
        );
      }
      const name = schemaName(schema);
      return {
        tools: [{ name, description: "Takes the answer.", input_schema: { type, ...rest } }],
        tool_choice: { type: "tool", name, disable_parallel_tool_use: true },
      };
    }
    case "prompt":
      return {};
  }
}

/** A batch asks for the same schema a hundred thousand times. */
const constrainables = new WeakMap<AnswerSchema["schema"], Record<string, unknown>>();

/** Bounds and the like, which the provider cannot constrain, go into the descriptions. */
function constrainable({ name, schema }: AnswerSchema): Record<string, unknown> {
  const known = constrainables.get(schema);
  if (known !== undefined) return known;
  try {
    const made: Record<string, unknown> = transformJSONSchema(schema);
    constrainables.set(schema, made);
    return made;
  } catch (error) {
    throw new ChatModelError(
      `The schema "${name}" has a part without a type, which Anthropic cannot constrain; give it one, or ask with structured "tool"`,
      { permanent: true, cause: error },
    );
  }
}
