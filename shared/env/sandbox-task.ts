import { z } from "zod";
import type { SandboxFile } from "../ports/sandbox.ts";
import { EnvTaskError } from "./protocol.ts";
import type { EnvTask } from "./task.ts";

const seconds = z.number().positive().max(86_400);
const bytes = z.int().positive();

/** Text; or bytes in base64, or with the right to be executed. */
const contentSchema = z.union([
  z.string(),
  z
    .strictObject({
      content: z.string(),
      encoding: z.enum(["utf8", "base64"]).default("utf8"),
      executable: z.boolean().default(false),
    })
    .refine(({ content, encoding }) => encoding === "utf8" || z.base64().safeParse(content).success, {
      message: "is no base64",
    }),
]);

const filesSchema = z.record(z.string().min(1), contentSchema);

/** What the field `sandbox` of a task says: where work begins and when it is done. */
export const sandboxTaskSchema = z
  .strictObject({
    image: z.string().optional(),
    /** Paths below the workspace; put in after the repository, so that they may change it. */
    files: filesSchema.default({}),
    /** Path of a git repository or bundle where the program runs. */
    repo: z.string().optional(),
    /** The task's own `base_commit` where absent; the repository's HEAD where that is, too. */
    base_commit: z.string().optional(),
    /** One commit without an ancestor instead of the history; what comes after `base_commit` is never there. */
    hide_git_history: z.boolean().default(false),
    /** Shell commands, run in the workspace one after another; one that fails makes the task unusable. */
    setup: z.array(z.string()).default([]),
    setup_timeout_s: seconds.optional(),
    /** Shell command, run at submit; exit code 0 is success. The task's own `test_command` where absent. */
    test_command: z.string().optional(),
    test_timeout_s: seconds.optional(),
    /** Files that are put in at submit, over whatever stands there. */
    hidden_tests: filesSchema.default({}),
    /** Success needs at least so many passed tests in the summary of pytest, Node.js, Jest, Go, Cargo or TAP. */
    min_tests_passed: z.int().positive().optional(),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
    /** A part of what the run allows (the environment's option `allow`), which is what a task has that says nothing. */
    network: z.union([z.literal("none"), z.strictObject({ allow: z.array(z.string()).min(1) })]).optional(),
    command_timeout_s: seconds.optional(),
    episode_timeout_s: seconds.optional(),
    limits: z
      .strictObject({
        memory_bytes: bytes.optional(),
        cpus: z.number().positive().optional(),
        pids: z.int().positive().optional(),
        disk_bytes: bytes.optional(),
        lifetime_s: seconds.optional(),
      })
      .default({}),
  })
  .refine(
    ({ limits, episode_timeout_s: episode }) =>
      limits.lifetime_s === undefined || episode === undefined || limits.lifetime_s >= episode,
    {
      path: ["limits", "lifetime_s"],
      message:
        "is less than episode_timeout_s, so the sandbox would end before the episode; raise it, or leave it out: then it follows",
    },
  );

export type SandboxTask = z.infer<typeof sandboxTaskSchema>;

/** A sandbox task with what the task around it says. @throws EnvTaskError */
export function sandboxTask(task: EnvTask): SandboxTask {
  const parsed = sandboxTaskSchema.safeParse(task["sandbox"] ?? {});
  if (!parsed.success) {
    const id = task.id ?? null;
    const message = `the field "sandbox" of task ${id ?? "without an id"} is not what it should be: ${z.prettifyError(parsed.error)}`;
    throw new EnvTaskError(message, id, { cause: parsed.error });
  }
  const own = parsed.data;
  const commit = own.base_commit ?? task.base_commit;
  const tests = own.test_command ?? task.test_command;
  return {
    ...own,
    ...(commit === undefined ? {} : { base_commit: commit }),
    ...(tests === undefined ? {} : { test_command: tests }),
  };
}

export function filesOf(files: SandboxTask["files"]): readonly SandboxFile[] {
  return Object.entries(files).map(([path, given]) => {
    if (typeof given === "string") return { path, bytes: new TextEncoder().encode(given), mode: 0o644 };
    const { content, encoding, executable } = given;
    return {
      path,
      bytes: encoding === "base64" ? fromBase64(content) : new TextEncoder().encode(content),
      mode: executable ? 0o755 : 0o644,
    };
  });
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
