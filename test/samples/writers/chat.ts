import { iso, uuidOf } from "../clock.ts";
import { type Conversation, INSTRUCTIONS } from "../support/conversation.ts";
import { toolDefinitions } from "../support/shop.ts";

/** A chat log row in OpenAI's message form, with tools, tool calls and the measured verdict. */
export function chatRow(conversation: Conversation): unknown {
  const messages: unknown[] = [{ role: "system", content: INSTRUCTIONS }];
  for (const utterance of conversation.utterances) {
    if (utterance.kind === "customer") messages.push({ role: "user", content: utterance.text });
    else if (utterance.kind === "agent") messages.push({ role: "assistant", content: utterance.text });
    else {
      const { id, tool, args, answer } = utterance;
      const call = { id, type: "function", function: { name: tool, arguments: JSON.stringify(args) } };
      messages.push({ role: "assistant", content: utterance.thought, tool_calls: [call] });
      messages.push({ role: "tool", tool_call_id: id, content: JSON.stringify(answer.value) });
    }
  }
  return {
    conversation_id: uuidOf(conversation.dice),
    task_id: conversation.problem.id,
    domain: "conversation",
    created_at: iso(conversation.startedAt),
    model: conversation.model,
    messages,
    tools: toolDefinitions(),
    resolved: conversation.resolved,
  };
}
