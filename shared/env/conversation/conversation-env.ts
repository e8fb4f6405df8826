import {
  type BegunEpisode,
  defineEnv,
  type EpisodeStartContext,
  type EpisodeTool,
  type ToolContext,
  type ToolResult,
} from "../define-env.ts";
import { type AgentEnv, EnvFaultError, type JsonObject, type StepInfo } from "../protocol.ts";
import { wholeNumber } from "../wrappers/whole-number.ts";
import { type OwnState, setInWorld } from "./conversation-state.ts";
import { openingOf, readConversationTask } from "./conversation-task.ts";
import { forbidden, judgeConversation } from "./criteria.ts";
import { type ConversationTool, mockTools } from "./mock-tools.ts";
import { type MakeUser, type UserModel, type UserReply, userOf } from "./simulated-user.ts";
import { argumentsHold, pathKeys } from "./value-test.ts";

export interface ConversationEnvOptions {
  /** `gymline/conversation-v1` and the like. */
  readonly id: string;
  readonly domain: string;
  /** In place of the domain's mock tools. */
  readonly tools?: readonly ConversationTool[];
  /** Steps after which a conversation is cut off, where the task does not say it. */
  readonly maxTurns?: number;
  /** A user of one's own, for tasks that describe none. */
  readonly user?: MakeUser;
  /** Plays users that tasks describe by a scenario. */
  readonly userModel?: UserModel;
}

/**
 * A conversation with tools and, where the task or the options give one, a simulated user. It ends with a terminal tool,
 * when the user leaves, or after `maxTurns`; success is that the task's criteria hold then, however it ended. The reward
 * is 1 on the last step of a success, else 0.
 */
export function conversationEnv(options: ConversationEnvOptions): AgentEnv {
  const { id, domain, maxTurns = 20 } = options;
  wholeNumber("maxTurns", maxTurns, 1);
  const tools = options.tools ?? mockTools(domain);
  const names = new Set(tools.map((tool) => tool.name));
  return defineEnv<OwnState>({
    id,
    domain,
    tools: tools.map(inConversation),
    maxSteps: (state) => state.maxTurns,
    begin: (start) => begin({ ...start, options, names, maxTurns }),
    judge: (state) => judgeConversation(state.task.criteria ?? [], state),
  });
}

async function begin(
  start: EpisodeStartContext & {
    readonly options: ConversationEnvOptions;
    readonly names: ReadonlySet<string>;
    readonly maxTurns: number;
  },
): Promise<BegunEpisode<OwnState>> {
  const { task, random, signal, options, names } = start;
  const conversation = readConversationTask(task, names);
  const user =
    conversation.user === undefined
      ? options.user?.({ task, random })
      : userOf(conversation.user, { task, random, userModel: options.userModel });
  const written = openingOf(task, conversation);
  const opening = written === undefined ? await user?.open(signal) : undefined;
  const maxTurns = conversation.max_turns ?? start.maxTurns;
  return {
    state: {
      world: structuredClone(conversation.state ?? {}),
      task: conversation,
      user,
      calls: [],
      said: [],
      maxTurns,
    },
    observation: written ?? opening?.text ?? "",
    info: {
      domain: options.domain,
      maxTurns,
      availableTools: [...names],
      ...(opening === undefined ? {} : costOf(opening)),
    },
  };
}

/** A tool as it works here: the task's answers come first, the user hears what is said, and everything is noted. */
function inConversation(tool: ConversationTool): EpisodeTool<OwnState> {
  return {
    name: tool.name,
    description: tool.description,
    params: tool.params,
    run: async (params, context) => {
      const { state } = context;
      const note = (output: string, exitCode: number): void => {
        state.calls.push({ tool: tool.name, params, output, exitCode });
      };
      const violation = forbidden({ tool: tool.name, params }, state.task.criteria ?? []);
      try {
        const result = await resultOf(tool, params, context);
        const { exitCode = result.error === undefined ? 0 : 1 } = result;
        const ended = exitCode === 0 ? await speak(tool, { params, result, context }) : result;
        note(ended.output, exitCode);
        return violation === null ? ended : { ...ended, info: { ...ended.info, violation } };
      } catch (error) {
        if (!(error instanceof EnvFaultError)) note(String(error), 1);
        throw error;
      }
    },
  };
}

async function resultOf(
  tool: ConversationTool,
  params: JsonObject,
  context: ToolContext<OwnState>,
): Promise<ToolResult> {
  const { task, world } = context.state;
  const answer = task.answers?.find(
    (each) => each.tool === tool.name && argumentsHold(each.arguments, params),
  );
  if (answer === undefined) {
    const result = await tool.run(params, context);
    return typeof result === "string" ? { output: result } : result;
  }
  for (const { path, value } of answer.set ?? []) setInWorld(world, pathKeys(path), structuredClone(value));
  return { output: answer.output, exitCode: answer.exit_code ?? 0 };
}

/** What a call that went well means for the conversation. */
async function speak(
  tool: ConversationTool,
  call: { readonly params: JsonObject; readonly result: ToolResult; readonly context: ToolContext<OwnState> },
): Promise<ToolResult> {
  const { params, result, context } = call;
  const { state, signal } = context;
  const ended = tool.ends === undefined ? result : { ...result, terminated: true };
  if (tool.says === undefined) return ended;
  const spoken = params[tool.says];
  const message = typeof spoken === "string" ? spoken : result.output;
  if (state.user === undefined || tool.ends === "always") {
    state.said.push(message);
    return ended;
  }
  // Asked before anything is noted: a model that is down for a moment leaves nothing behind.
  const reply = await state.user.reply(message, signal);
  state.said.push(message);
  return {
    ...result,
    output: reply.text === "" ? "The user has left the conversation." : reply.text,
    terminated: reply.ends,
    info: { ...result.info, ...(reply.text === "" ? {} : { userMessage: reply.text }), ...costOf(reply) },
  };
}

function costOf({ usage, costUsd }: UserReply): StepInfo {
  return {
    ...(usage === undefined ? {} : { userUsage: usage }),
    ...(costUsd === undefined ? {} : { costUsd }),
  };
}
