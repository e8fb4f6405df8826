import { z } from "zod";
import { EnvTaskError } from "../protocol.ts";
import type { EnvTask } from "../task.ts";
import { criterionSchema } from "./criteria.ts";
import { argumentTestsSchema, pathSchema, valueTestSchema } from "./value-test.ts";

/** A user who says what is written: the first reply left whose `when` holds. One of several texts is drawn by the seed. */
const scriptedUserSchema = z.strictObject({
  kind: z.literal("script"),
  replies: z
    .array(
      z.strictObject({
        text: z.union([z.string(), z.array(z.string()).min(1)]),
        /** Tested on what the agent said; absent: whatever it was. */
        when: valueTestSchema.optional(),
        /** The user is done with that. */
        ends: z.boolean().optional(),
      }),
    )
    .min(1),
});

/** A user played by a model. */
const modelUserSchema = z.strictObject({
  kind: z.literal("model"),
  /** Who the user is, what they want, what they know and give away only when asked. */
  scenario: z.string().min(1),
  /** The user leaves after so many replies. */
  max_replies: z.int().min(1).default(12),
});

/** What `conversation` of a task holds. */
export const conversationTaskSchema = z.strictObject({
  /** What the user says first; absent: `user_message`, `context` or `description` of the task, or what a model says. */
  user_message: z.string().optional(),
  user: z.discriminatedUnion("kind", [scriptedUserSchema, modelUserSchema]).optional(),
  /** The world that tools see and change, as it is at the beginning. */
  state: z.record(z.string(), z.json()).optional(),
  /** What tools answer in this task; the first that fits does, else the tool itself. */
  answers: z
    .array(
      z.strictObject({
        tool: z.string(),
        arguments: argumentTestsSchema.optional(),
        output: z.string(),
        exit_code: z.int().optional(),
        /** Changes of the state that come with it. */
        set: z.array(z.strictObject({ path: pathSchema, value: z.json() })).optional(),
      }),
    )
    .optional(),
  criteria: z.array(criterionSchema).optional(),
  max_turns: z.int().min(1).optional(),
});

export type ConversationTask = z.infer<typeof conversationTaskSchema>;
export type UserSpec = NonNullable<ConversationTask["user"]>;

/** @throws EnvTaskError that names the field, and tools that do not exist */
export function readConversationTask(task: EnvTask, tools: ReadonlySet<string>): ConversationTask {
  const id = task.id ?? null;
  const read = conversationTaskSchema.safeParse(task["conversation"] ?? {});
  const where = id === null ? "the task" : `task ${id}`;
  if (!read.success) {
    const [issue] = read.error.issues;
    const place = ["conversation", ...(issue?.path ?? [])].map(String).join(".");
    throw new EnvTaskError(`${where}: ${place}: ${issue?.message ?? "not valid"}`, id, { cause: read.error });
  }
  const named = [
    ...(read.data.answers ?? []).map(({ tool }, index) => [tool, `conversation.answers.${index}`] as const),
    ...(read.data.criteria ?? []).flatMap((criterion, index) =>
      "tool" in criterion ? [[criterion.tool, `conversation.criteria.${index}`] as const] : [],
    ),
  ];
  for (const [tool, place] of named) {
    if (tools.has(tool)) continue;
    throw new EnvTaskError(
      `${where}: ${place} names the tool "${tool}", which is not there; the tools are ${[...tools].join(", ")}`,
      id,
    );
  }
  return read.data;
}

/** What the user says first, as far as the task says it: the first of the fields that holds a text. */
export function openingOf(task: EnvTask, conversation: ConversationTask): string | undefined {
  const texts = [conversation.user_message, task["user_message"], task["context"], task.description];
  return texts.find((text): text is string => typeof text === "string" && text !== "");
}
