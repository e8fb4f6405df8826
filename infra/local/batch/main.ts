import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { z } from "zod";
import { BatchSetupError } from "./errors.ts";
import { type Json, jsonSchema } from "./intrinsics.ts";
import { type BatchRunnerOptions, type ExecutorOptions, startBatchRunner } from "./runner.ts";

/*
 * A local AWS Batch as a program of its own. What it does NOT cover stands at the top of `runner.ts`: fair-share
 * scheduling, multi-node and EKS jobs, consumable resources, GPUs, permissions and more.
 */

const USAGE = `usage: node infra/local/batch/main.ts --template FILE… --state FOLDER [options]

  --template FILE         a synthesised CloudFormation template; may be given several times
  --state FOLDER          keeps jobs, undelivered events and logs between runs
  --port N                on 127.0.0.1; 0, the default, takes a free port
  --values FILE           JSON object: "Name" for Ref, "Name.Attribute" for Fn::GetAtt, export name for imports
  --events-endpoint URL   sends state changes to this EventBridge
  --bus NAME              its event bus; by default the default one
  --event-source NAME     aws.batch by default; gymline.batch where the bus refuses that
  --env NAME=VALUE        a variable for every job; may be given several times
  --vcpus N, --memory MIB what jobs may use together; by default what the machine has
  --region R, --account A part of ARNs; by default us-east-1 and 000000000000
  --min-timeout SECONDS   the least time-out a job may have; by default 60, as on AWS
  --stop-timeout SECONDS  between SIGTERM and SIGKILL; by default 30, as on AWS
  --map IMAGE=LOCAL       a local image for an image of the definitions
  --no-docker             runs jobs as plain processes, without limits or isolation
  --map IMAGE=PROGRAM …   then: program and first arguments for an image, as words or as a JSON array

IMAGE may be the name of a job definition too, and may hold asterisks.
`;

const seconds = z.coerce.number().positive().optional();
const optionsSchema = z.object({
  template: z.array(z.string(), "give at least one --template"),
  state: z.string("give a folder with --state"),
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  values: z.string().optional(),
  "events-endpoint": z.url().optional(),
  bus: z.string().optional(),
  "event-source": z.string().optional(),
  env: z.array(z.string()).default([]),
  vcpus: z.coerce.number().positive().optional(),
  memory: z.coerce.number().positive().optional(),
  region: z.string().default("us-east-1"),
  account: z.string().default("000000000000"),
  "min-timeout": seconds,
  "stop-timeout": seconds,
  "no-docker": z.boolean().default(false),
  map: z.array(z.string()).default([]),
});

type Options = z.output<typeof optionsSchema>;

try {
  const runner = await startBatchRunner(runnerOptions(readOptions()));
  process.stdout.write(`${JSON.stringify({ url: runner.url, logs: runner.logFolder })}\n`);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    // A second signal, while jobs still have their grace, must not start a second stop.
    process.once(signal, () => void runner.stop().then(() => process.exit(0)));
  }
} catch (error) {
  if (!(error instanceof BatchSetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

function readOptions(): Options {
  const text = { type: "string" } as const;
  const texts = { type: "string", multiple: true } as const;
  const { values } = parsed(() =>
    parseArgs({
      options: {
        template: texts,
        state: text,
        port: text,
        values: text,
        "events-endpoint": text,
        bus: text,
        "event-source": text,
        env: texts,
        vcpus: text,
        memory: text,
        region: text,
        account: text,
        "min-timeout": text,
        "stop-timeout": text,
        "no-docker": { type: "boolean" },
        map: texts,
      },
    }),
  );
  const checked = optionsSchema.safeParse(values);
  if (checked.success) return checked.data;
  throw new BatchSetupError(`${z.prettifyError(checked.error)}\n\n${USAGE}`);
}

function runnerOptions(options: Options): BatchRunnerOptions {
  const { region, account, vcpus, memory, bus } = options;
  const endpoint = options["events-endpoint"];
  const source = options["event-source"];
  return {
    templates: options.template,
    stateFolder: options.state,
    port: options.port,
    place: { region, account },
    executor: executorOf(options),
    environment: Object.fromEntries(options.env.map((pair) => pairOf(pair, "--env"))),
    ...(options.values === undefined ? {} : { values: readValues(options.values) }),
    ...given("vcpus", vcpus),
    ...given("memory", memory),
    ...given("minimumTimeout", options["min-timeout"]),
    ...given("stopTimeout", options["stop-timeout"]),
    ...(endpoint === undefined
      ? {}
      : { events: { endpoint, ...given("bus", bus), ...given("source", source) } }),
  };
}

function executorOf(options: Options): ExecutorOptions {
  const table = options.map.map((pair) => pairOf(pair, "--map"));
  if (!options["no-docker"]) return { kind: "docker", images: Object.fromEntries(table) };
  const programs = Object.fromEntries(table.map(([image, program]) => [image, wordsOf(program)]));
  return { kind: "process", programs };
}

function wordsOf(program: string): readonly string[] {
  if (!program.startsWith("[")) return program.split(/\s+/).filter((word) => word !== "");
  const words = z.array(z.string()).safeParse(parsed(() => JSON.parse(program)));
  if (words.success) return words.data;
  throw new BatchSetupError(`--map takes words or a JSON array of texts, not ${program}`);
}

function pairOf(pair: string, option: string): readonly [string, string] {
  const at = pair.indexOf("=");
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
  throw new BatchSetupError(`${option} takes NAME=VALUE, not ${pair}`);
}

function readValues(path: string): Readonly<Record<string, Json>> {
  const values = z
    .record(z.string(), jsonSchema)
    .safeParse(parsed(() => JSON.parse(readFileSync(path, "utf8"))));
  if (values.success) return values.data;
  throw new BatchSetupError(`${path} must hold one JSON object of values`);
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new BatchSetupError(`${cause instanceof Error ? cause.message : String(cause)}\n\n${USAGE}`, {
      cause,
    });
  }
}

function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
