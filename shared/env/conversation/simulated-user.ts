import type { ChatModel, TokenUsage } from "../../ports/chat-model.ts";
import type { Random } from "../../statistics/random.ts";
import { EnvTaskError } from "../protocol.ts";
import type { EnvTask } from "../task.ts";
import type { UserSpec } from "./conversation-task.ts";
import { ModelUser } from "./model-user.ts";
import { valueHolds } from "./value-test.ts";

/** Somebody the agent talks to in one episode. */
export interface SimulatedUser {
  /** What they say first where the task does not say it. */
  open(signal?: AbortSignal): Promise<UserReply>;
  /** @throws EnvFaultError where they cannot answer */
  reply(message: string, signal?: AbortSignal): Promise<UserReply>;
}

export interface UserReply {
  /** "": they leave without a word. */
  readonly text: string;
  /** They are done: the conversation ends. */
  readonly ends: boolean;
  readonly usage?: TokenUsage;
  readonly costUsd?: number;
}

/** Makes the user of an episode. */
export type MakeUser = (start: { readonly task: EnvTask; readonly random: Random }) => SimulatedUser;

export interface UserModel {
  readonly model: ChatModel;
  /** US dollars of a call, where prices are known. */
  readonly costUsd?: (usage: TokenUsage) => number;
}

/** The user that a task describes. @throws EnvTaskError where it is a model's and there is none */
export function userOf(
  spec: UserSpec,
  around: { readonly task: EnvTask; readonly random: Random; readonly userModel: UserModel | undefined },
): SimulatedUser {
  if (spec.kind === "script") return new ScriptedUser(spec.replies, around.random);
  if (around.userModel !== undefined) return new ModelUser(spec, around.userModel);
  throw new EnvTaskError(
    "the task's user is played by a model, and the environment has none: give it `userModel`",
    around.task.id ?? null,
  );
}

type Reply = Extract<UserSpec, { readonly kind: "script" }>["replies"][number];

/** Says what is written, and leaves when nothing that fits is left. */
class ScriptedUser implements SimulatedUser {
  readonly #left: Reply[];
  readonly #random: Random;

  constructor(replies: readonly Reply[], random: Random) {
    this.#left = [...replies];
    this.#random = random;
  }

  async open(): Promise<UserReply> {
    return { text: "", ends: false };
  }

  async reply(message: string): Promise<UserReply> {
    const index = this.#left.findIndex(({ when }) => when === undefined || valueHolds(when, message));
    const [reply] = index < 0 ? [] : this.#left.splice(index, 1);
    if (reply === undefined) return { text: "", ends: true };
    const texts = typeof reply.text === "string" ? [reply.text] : reply.text;
    return { text: texts[this.#random.int(texts.length)] ?? "", ends: reply.ends === true };
  }
}
