import type { ToolDefinition } from "../../env/protocol.ts";
import { ChatModelError } from "../../ports/chat-model.ts";

/** What both providers take as the name of a tool. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** @throws ChatModelError where a provider would refuse a tool for its name */
export function checkToolNames(tools: readonly ToolDefinition[], label: string): void {
  const seen = new Set<string>();
  for (const { name } of tools) {
    const refuse = (why: string) => {
      throw new ChatModelError(`${label}: the tool ${JSON.stringify(name.slice(0, 80))} ${why}`, {
        permanent: true,
      });
    };
    if (!NAME.test(name)) refuse("cannot be offered; name it with 1 to 64 letters, digits, _ and -");
    if (seen.has(name)) refuse("stands twice among the tools; give each a name of its own");
    seen.add(name);
  }
}
