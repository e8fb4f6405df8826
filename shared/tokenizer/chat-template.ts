import { sftMessages } from "../dataset/sft-messages.ts";
import { chatTools } from "../dataset/targets/chat-tools.ts";
import { templateMessage, templateTurns } from "../dataset/targets/template-messages.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import type { ReadTokenizer } from "./tokenizer-files.ts";

/** The template itself refuses a conversation, as many do where roles do not alternate. */
export class RefusedConversationError extends Error {
  override readonly name = "RefusedConversationError";
}

/** The chat template of a tokenizer, as `apply_chat_template` of Hugging Face transformers uses it. */
export interface ChatTemplate {
  /** The whole conversation as one text. @throws RefusedConversationError, and Error where the template itself fails */
  readonly render: (trajectory: Pick<Trajectory, "agent" | "steps">) => string;
  /** The same of messages and tools as templates take them. */
  readonly renderMessages: (conversation: TemplateConversation) => string;
  /** The template's own text, as it is used for conversations with tools. */
  readonly source: string;
}

/** What a template renders. */
export interface TemplateConversation {
  /** `{role, content, …}`; arguments of calls are objects. */
  readonly messages: readonly unknown[];
  /** `{type: "function", function: {name, …}}`. */
  readonly tools: readonly unknown[];
  /** Whether the text ends where the model's next answer begins. */
  readonly addGenerationPrompt: boolean;
}

/** undefined where the folder has none. @throws Error where it is no Jinja that is understood */
export async function chatTemplateOf({
  templates,
  special,
}: ReadTokenizer): Promise<ChatTemplate | undefined> {
  if (templates.size === 0) return undefined;
  const { Environment, Interpreter, parse, tokenize } = await import("@huggingface/jinja");
  const options = { trim_blocks: true, lstrip_blocks: true };
  const parsed = new Map([...templates].map(([name, text]) => [name, parse(tokenize(text, options))]));
  const plain = parsed.get("default") ?? [...parsed.values()][0];
  if (plain === undefined) return undefined;
  const renderMessages = ({ messages, tools, addGenerationPrompt }: TemplateConversation): string => {
    const template = tools.length === 0 ? plain : (parsed.get("tool_use") ?? plain);
    const environment = new Environment();
    const variables = {
      ...GLOBALS,
      ...special,
      messages,
      tools: tools.length === 0 ? null : tools,
      documents: null,
      add_generation_prompt: addGenerationPrompt,
    };
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    return String(new Interpreter(environment).run(template).value);
  };
  return {
    renderMessages,
    render: (trajectory) =>
      renderMessages({
        messages: messagesOf(trajectory),
        tools: chatTools(trajectory.agent.tool_definitions ?? []),
        addGenerationPrompt: false,
      }),
    source: templates.get("tool_use") ?? templates.get("default") ?? [...templates.values()][0] ?? "",
  };
}

/** As rows for TRL have them. */
function messagesOf(trajectory: Pick<Trajectory, "steps">): readonly unknown[] {
  return templateTurns(sftMessages(trajectory)).map(({ message }) =>
    // Numbers that rows keep as they were written are marks of JSON, not values: 1.0 counts like 1.
    message.tool_calls === undefined ? message : JSON.parse(JSON.stringify(templateMessage(message))),
  );
}

/** What templates say may quote the conversation, so it goes no further. */
function refuse(): never {
  throw new RefusedConversationError("the chat template does not take the conversation");
}

const FIXED: Readonly<Record<string, string>> = {
  Y: "2024",
  m: "07",
  d: "26",
  b: "Jul",
  B: "July",
  H: "00",
  M: "00",
};

/** Some templates write the day they are rendered on; the count of a trajectory must not change with it. */
function fixedDate(format: string): string {
  return format.replace(/%([A-Za-z%])/g, (text, part: string) =>
    part === "%" ? "%" : (FIXED[part] ?? text),
  );
}

function range(start: number, stop?: number, step = 1): readonly number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  return Array.from(
    { length: Math.max(0, Math.ceil((to - from) / step)) },
    (_, index) => from + index * step,
  );
}

/** What a template of Hugging Face may use besides what it is given: the renderer's own has a clock in it. */
const GLOBALS = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range,
  strftime_now: fixedDate,
  raise_exception: refuse,
} as const;
