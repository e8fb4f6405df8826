import { type Checkout, type Repositories, RepositoryError } from "../ports/repositories.ts";
import { type Sandbox, SandboxError } from "../ports/sandbox.ts";
import { EnvTaskError } from "./protocol.ts";
import { filesOf, type SandboxTask } from "./sandbox-task.ts";
import { commandText } from "./sandbox-text.ts";
import { execute, shellCommand } from "./sandbox-tools.ts";
import type { EnvTask } from "./task.ts";

export interface Preparation {
  readonly sandbox: Sandbox;
  readonly task: SandboxTask;
  /** The task around it. */
  readonly given: EnvTask;
  readonly repositories: Repositories | undefined;
  /** Of each setup command, where the task says nothing else. */
  readonly setupTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

const SHOWN_BYTES = 2000;

/**
 * Brings in what a task begins with: repository, files, setup commands. Gives the commit, where there is one.
 * @throws EnvTaskError where the task itself is at fault
 */
export async function prepareSandbox(request: Preparation): Promise<string | undefined> {
  const { sandbox, task, given } = request;
  const commit = await putRepository(request);
  try {
    await sandbox.put(filesOf(task.files));
  } catch (cause) {
    if (!(cause instanceof SandboxError) || cause.reason !== "refused") throw cause;
    throw new EnvTaskError(`the files of ${nameOf(given)}: ${cause.message}`, given.id ?? null, { cause });
  }
  for (const index of task.setup.keys()) await setUp(index, request);
  return commit;
}

async function setUp(index: number, request: Preparation): Promise<void> {
  const { sandbox, task, given, signal } = request;
  const seconds = task.setup_timeout_s;
  const timeoutMs = seconds === undefined ? request.setupTimeoutMs : seconds * 1000;
  const { result } = await execute(
    { command: shellCommand(task.setup[index] ?? "") },
    {
      sandbox,
      env: task.env,
      timeoutMs,
      maxOutputBytes: SHOWN_BYTES,
      spent: () => undefined,
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const { text, exitCode } = commandText(result, timeoutMs);
  if (exitCode === 0) return;
  throw new EnvTaskError(`setup command ${index + 1} of ${nameOf(given)} fails: ${text}`, given.id ?? null);
}

async function putRepository(request: Preparation): Promise<string | undefined> {
  const { sandbox, task, given, repositories, signal } = request;
  if (task.repo === undefined) return undefined;
  const id = given.id ?? null;
  if (repositories === undefined) {
    throw new EnvTaskError(
      `${nameOf(given)} needs a repository, and this environment has no port for them`,
      id,
    );
  }
  const { repo, base_commit: commit, hide_git_history: hideHistory } = task;
  const checkout = { repo, hideHistory, ...(commit === undefined ? {} : { commit }) };
  const bringIn = async ({ archive, commit: hash }: Checkout): Promise<string> => {
    await sandbox.unpack(archive);
    return hash;
  };
  try {
    return await repositories.checkout(checkout, bringIn, signal);
  } catch (cause) {
    if (!(cause instanceof RepositoryError)) throw cause;
    throw new EnvTaskError(`${nameOf(given)}: ${cause.message}`, id, { cause });
  }
}

function nameOf(task: EnvTask): string {
  return task.id === undefined ? "a task without an id" : `task ${task.id}`;
}
