import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DeployError } from "./deploy.ts";
import {
  EngineRunningError,
  EngineStartError,
  EngineUnavailableError,
  type RunningEngine,
} from "./engines/engine.ts";
import { engineHealth, runningEngine } from "./engines/engine-home.ts";
import { followLogs } from "./follow-logs.ts";
import { LocalBatchError, localBatchUrl } from "./local-batch.ts";
import { type LocalCommand, OptionsError, readCommand, USAGE } from "./options.ts";
import { deployStack, dropBucketOf, STACK_HOME, StackMissingError, startEngine, stopStack } from "./stack.ts";

const EXPECTED = [
  DeployError,
  EngineRunningError,
  EngineStartError,
  EngineUnavailableError,
  LocalBatchError,
  OptionsError,
  StackMissingError,
];

/** Exit code of `--status` where nothing runs. */
const NOTHING_RUNS = 3;

const say = (text: string) => process.stdout.write(`${text}\n`);

try {
  process.exitCode = await main(readCommand(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof Error) || !EXPECTED.some((kind) => error instanceof kind)) throw error;
  process.stderr.write(`gymline: ${error.message}\n`);
  process.exitCode = 1;
}

async function main(command: LocalCommand): Promise<number> {
  const home = resolve(command.folder ?? STACK_HOME);
  switch (command.kind) {
    case "help":
      say(USAGE);
      return 0;
    case "status":
      return status(home);
    case "stop":
      return stop(home);
    case "drop":
      return drop(home, command);
    case "up":
      return up(home, command);
  }
}

async function up(
  home: string,
  { choice, app, image }: Extract<LocalCommand, { kind: "up" }>,
): Promise<number> {
  const interrupt = new AbortController();
  // Once: a second Ctrl-C ends the program at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort());

  say(`Starting ${choice.engine} (the first time it is installed, which takes a minute or two)…`);
  const engine = await startEngine(home, choice);
  say(`${engine.name} answers at ${engine.endpoint}. Deploying…`);
  const from = Date.now();
  await deployStack(home, { engine, app, image, signal: interrupt.signal });
  say(guide(engine, { bucket: await dropBucketOf(home), batch: await localBatchUrl(home) }));

  try {
    await showLogs(engine, { from, signal: interrupt.signal });
  } catch (error) {
    // Somebody may be stopping it from another terminal.
    if (!(await hasEnded(home))) throw error;
    say("\nThe stack was ended.");
    return 0;
  }
  say("\nThe stack goes on running; npm run local -- --stop ends it.");
  return 0;
}

/** Has the engine ended? One that is about to end gets the time for it. */
async function hasEnded(home: string): Promise<boolean> {
  for (let tries = 0; tries < 50; tries += 1) {
    const health = await engineHealth(home);
    if (health !== "silent") return health === "stopped";
    await sleep(200);
  }
  return false;
}

async function showLogs(
  { endpoint }: RunningEngine,
  span: { readonly from: number; readonly signal: AbortSignal },
): Promise<void> {
  for await (const { group, message } of followLogs(endpoint, span)) {
    say(`${group.split("/").at(-1)}: ${printable(message)}`);
  }
}

function guide(
  { env, endpoint }: RunningEngine,
  { bucket, batch }: { readonly bucket: string; readonly batch: string | undefined },
): string {
  const names = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
  const variables = names.map((name) => `${name}=${env[name]}`).join(" ");
  return [
    "",
    `Deployed. Drop logs into the bucket ${bucket}, under the name of a project:`,
    "  npm run local -- --drop FILE-OR-FOLDER --project my-team",
    "or with the AWS command line:",
    `  ${variables} \\`,
    `    aws --endpoint-url ${endpoint} s3 cp FILE s3://${bucket}/my-team/`,
    // The engine's own Batch would take a job and run nothing.
    ...(batch === undefined
      ? []
      : [
          "Commands that take --deployment work on it with:",
          `  ${variables} AWS_ENDPOINT_URL=${endpoint} AWS_ENDPOINT_URL_BATCH=${batch} \\`,
          "    gymline status",
        ]),
    "",
    "What the functions print follows. Ctrl-C leaves the stack running; npm run local -- --stop ends it.",
    "",
  ].join("\n");
}

/** The same command that drops logs on AWS, told where the local bucket is. */
async function drop(
  home: string,
  { path, project }: Extract<LocalCommand, { kind: "drop" }>,
): Promise<number> {
  const engine = await runningEngine(home);
  if (engine === undefined) throw new StackMissingError("no stack runs");
  const program = resolve(import.meta.dirname, "../../containers/gymline/main.ts");
  const bucket = await dropBucketOf(home);
  const { status } = spawnSync(
    process.execPath,
    [program, "drop", path, "--bucket", bucket, "--project", project],
    { stdio: "inherit", env: { ...process.env, ...engine.env } },
  );
  return status ?? 1;
}

async function status(home: string): Promise<number> {
  const engine = await runningEngine(home);
  if (engine === undefined) {
    say("No stack runs.");
    return NOTHING_RUNS;
  }
  say(`${engine.name} at ${engine.endpoint}: ${await engineHealth(home)}`);
  if (engine.pid !== undefined) say(`process ${engine.pid}, log ${engine.logFile}`);
  say(`drop bucket: ${await dropBucketOf(home).catch(() => "nothing is deployed")}`);
  return 0;
}

async function stop(home: string): Promise<number> {
  const engine = await runningEngine(home);
  await stopStack(home);
  if (engine === undefined) say("No stack runs.");
  else if (engine.pid === undefined)
    say(`${engine.endpoint} is yours: it runs on, with what was deployed to it.`);
  else say(`${engine.name} is stopped and its data removed.`);
  return 0;
}

/** A function's output must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "�");
}
