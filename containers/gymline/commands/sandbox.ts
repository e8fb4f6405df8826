import { buffer } from "node:stream/consumers";
import type { Command } from "commander";
import { wholeNumber } from "../deployment.ts";
import { sandboxesOf } from "../env-ports.ts";
import { collect, examples } from "../options.ts";
import {
  type EngineOptions,
  engineOptions,
  type LimitOptions,
  limitOptions,
  timeOf,
} from "../sandbox-options.ts";
import { many, note, out } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface TaskOptions {
  readonly task?: string;
  readonly taskId?: string;
}

export function addSandbox(program: Command): void {
  const sandbox = program
    .command("sandbox")
    .description(
      "work in sandboxes by hand: isolated places to run what nobody has looked at (docs/SANDBOX.md)",
    );
  examples(sandbox, [
    "gymline sandbox create --task tasks.jsonl --task-id fix-mean",
    "gymline sandbox create --allow pypi.org --allow files.pythonhosted.org",
    "gymline sandbox exec 3f2a91c07d44 -- python3 -m pytest -q",
    'gymline sandbox exec 3f2a91c07d44 --tool edit --params \'{"path":"a.py","old":"x","new":"y"}\'',
    "gymline sandbox reset 3f2a91c07d44",
    "gymline sandbox replay trajectory.json --task tasks.jsonl",
  ]);
  const create = sandbox
    .command("create")
    .description("make a sandbox that stays until its lifetime is over or it is closed; prints its id")
    .option("--task <file>", "begin with a task of this file, one JSON object a line")
    .option("--task-id <id>", "which task of the file");
  engineOptions(limitOptions(create)).action(createOne);
  const exec = sandbox
    .command("exec")
    .description("run a command in a sandbox, and end with its exit code (124: timed out, 137: killed)")
    .argument("<id>", "id, or its beginning")
    .argument("[command...]", "program and arguments, after --; no shell reads them")
    .option("--tool <name>", "call a tool of the environment instead")
    .option("--params <json>", "arguments of the tool", "{}")
    .option("-i, --stdin", "hand it this program's standard input")
    .option("--timeout <time>", "90s, 10m", "2m");
  engineOptions(exec).action(execIn);
  const reset = sandbox
    .command("reset")
    .description("bring the workspace back to how it was when the sandbox was made; its processes are ended")
    .argument("<id>");
  engineOptions(reset).action(resetOne);
  const snapshot = sandbox
    .command("snapshot")
    .description("keep the state of the workspace; prints the snapshot's id")
    .argument("<id>");
  engineOptions(snapshot).action(snapshotOf);
  const restore = sandbox
    .command("restore")
    .description("bring the workspace back to a snapshot; its processes are ended")
    .argument("<id>")
    .argument("<snapshot>");
  engineOptions(restore).action(restoreOne);
  const branch = sandbox
    .command("branch")
    .description("make a second sandbox that begins at a snapshot; prints its id")
    .argument("<id>")
    .argument("<snapshot>");
  engineOptions(branch).action(branchOff);
  const replay = sandbox
    .command("replay")
    .description("make the calls of a recorded trajectory again and say where it goes another way")
    .argument("<trajectory.json>", "as gymline convert or show --json writes it")
    .option("--task <file>", "tasks, one JSON object a line; without it the workspace is empty")
    .option("--task-id <id>", "which task of the file (default: the trajectory's)")
    .option("--before-step <n>", "stop before this step")
    .option("--exact", "compare durations, times and addresses, too");
  engineOptions(limitOptions(replay)).action(replayRun);
  const list = sandbox.command("list").description("list the sandboxes");
  engineOptions(list).action(listAll);
  const close = sandbox
    .command("close")
    .description("remove sandboxes with their snapshots")
    .argument("<ids...>");
  engineOptions(close).action(closeAll);
  const reap = sandbox
    .command("reap")
    .description("remove what outlived its time, as after a crash; those whose time is not over stay");
  engineOptions(reap).action(reapAll);
  const image = sandbox
    .command("image")
    .description(
      "build the image of sandboxes from Debian packages, where no registry is in reach; needs root",
    )
    .option("--egress", "build the image of the proxy that sandboxes with an allow-list (--allow) need")
    .option("--tag <name>", "name of the image (default: the one that sandboxes use)")
    .option("--package <name>", "one more package (may be given several times)", collect)
    .option("--suite <name>", "release of Debian (default: bookworm)")
    .option("--mirror <url>", "Debian mirror (default: deb.debian.org)");
  examples(image, [
    "gymline sandbox image",
    "gymline sandbox image --egress",
    "gymline sandbox image --tag my/node:1 --package nodejs",
  ]).action(buildImage);
}

async function createOne(options: EngineOptions & LimitOptions & TaskOptions): Promise<void> {
  const { taskOf } = await import("../sandbox-task-file.ts");
  const { createSandbox } = await import("../sandbox-run.ts");
  if (options.task === undefined && options.taskId !== undefined) {
    throw new UsageError("--task-id names a task of a file; give --task <file> as well");
  }
  const task = options.task === undefined ? {} : taskOf(options.task, options.taskId);
  await createSandbox(task, options);
}

async function execIn(
  id: string,
  command: readonly string[],
  options: EngineOptions & {
    readonly tool?: string;
    readonly params: string;
    readonly stdin?: boolean;
    readonly timeout: string;
  },
): Promise<void> {
  const timeoutMs = timeOf("--timeout", options.timeout);
  if (options.tool !== undefined && command.length > 0) {
    throw new UsageError("give a command or --tool, not both");
  }
  const sandbox = await (await sandboxesOf(options.backend)).open(id);
  if (options.tool !== undefined) {
    const { callTool } = await import("../sandbox-tool.ts");
    await callTool({
      sandbox,
      tool: options.tool,
      params: options.params,
      timeoutMs,
      json: options.json === true,
    });
    return;
  }
  if (command.length === 0) throw new UsageError(`give a command: gymline sandbox exec ${id} -- ls -la`);
  const { execInSandbox } = await import("../sandbox-run.ts");
  const stdin = options.stdin === true ? await buffer(process.stdin) : undefined;
  await execInSandbox({ sandbox, command, timeoutMs, stdin, json: options.json === true });
}

async function resetOne(id: string, options: EngineOptions): Promise<void> {
  const sandbox = await (await sandboxesOf(options.backend)).open(id);
  const [first] = await sandbox.snapshots();
  if (first === undefined) {
    throw new UsageError(
      `sandbox ${sandbox.id} has no snapshot to go back to; gymline sandbox create makes one`,
    );
  }
  await sandbox.restore(first);
  report(options, `sandbox ${sandbox.id} is as it was at ${first}`, { id: sandbox.id, snapshot: first });
}

async function snapshotOf(id: string, options: EngineOptions): Promise<void> {
  const sandbox = await (await sandboxesOf(options.backend)).open(id);
  const snapshot = await sandbox.snapshot();
  report(options, snapshot, { id: sandbox.id, snapshot });
}

async function restoreOne(id: string, snapshot: string, options: EngineOptions): Promise<void> {
  const sandbox = await (await sandboxesOf(options.backend)).open(id);
  await sandbox.restore(snapshot);
  report(options, `sandbox ${sandbox.id} is as it was at ${snapshot}`, { id: sandbox.id, snapshot });
}

async function branchOff(id: string, snapshot: string, options: EngineOptions): Promise<void> {
  const sandbox = await (await sandboxesOf(options.backend)).open(id);
  const branch = await sandbox.branch(snapshot);
  await branch.snapshot();
  report(options, branch.id, { id: branch.id, of: sandbox.id, snapshot });
}

async function replayRun(
  file: string,
  options: EngineOptions &
    LimitOptions &
    TaskOptions & { readonly exact?: boolean; readonly beforeStep?: string },
): Promise<void> {
  const { taskOf, trajectoryOf } = await import("../sandbox-task-file.ts");
  const { replayInSandbox } = await import("../sandbox-run.ts");
  const beforeStep = wholeNumber("--before-step", options.beforeStep);
  const trajectory = trajectoryOf(file);
  const id = options.taskId ?? trajectory.extra.gymline.task.id;
  const task = options.task === undefined ? {} : taskOf(options.task, id);
  await replayInSandbox({ trajectory, task, exact: options.exact === true, beforeStep }, options);
}

async function listAll(options: EngineOptions): Promise<void> {
  const { printSandboxes } = await import("../sandbox-run.ts");
  printSandboxes(await (await sandboxesOf(options.backend)).list(), options.json === true);
}

async function closeAll(ids: readonly string[], options: EngineOptions): Promise<void> {
  const sandboxes = await sandboxesOf(options.backend);
  // All are looked up first: a slip of the pen removes nothing.
  const found = await Promise.all(ids.map((id) => sandboxes.open(id)));
  for (const sandbox of found) await sandbox.close();
  report(options, many(found.length, "sandbox", "sandboxes"), { closed: found.map(({ id }) => id) });
}

async function reapAll(options: EngineOptions): Promise<void> {
  const reaped = await (await sandboxesOf(options.backend)).reap();
  report(options, `${many(reaped.length, "sandbox", "sandboxes")} removed`, { reaped });
}

async function buildImage(options: {
  readonly egress?: boolean;
  readonly tag?: string;
  readonly package?: readonly string[];
  readonly suite?: string;
  readonly mirror?: string;
}): Promise<void> {
  const { buildDebianImage, DEBIAN_IMAGE, EGRESS_PACKAGES } = await import(
    "../../../shared/adapters/docker/debian-image.ts"
  );
  const { EGRESS_IMAGE } = await import("../../../shared/adapters/docker/egress-options.ts");
  const { DEFAULT_IMAGE } = await import("../../../shared/sandbox/sandbox-limits.ts");
  const egress = options.egress === true;
  const image = options.tag ?? (egress ? EGRESS_IMAGE : DEFAULT_IMAGE);
  const { suite = DEBIAN_IMAGE.suite, mirror = DEBIAN_IMAGE.mirror } = options;
  const packages = [...(egress ? EGRESS_PACKAGES : DEBIAN_IMAGE.packages), ...(options.package ?? [])];
  note(`building ${image} from ${packages.join(", ")} of Debian ${suite}; this takes a minute or two`);
  out(`${image} ${await buildDebianImage({ image, packages, suite, mirror })}`);
}

function report(options: EngineOptions, line: string, facts: object): void {
  out(options.json === true ? JSON.stringify(facts) : line);
}
