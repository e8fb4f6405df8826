import { z } from "zod";

/**
 * How an existing harness is run in a sandbox and where it writes its log. Texts of `command`, `env` and `log` may hold
 * `{task}`, `{task_id}`, `{model}`, `{seed}`, `{log}` and, in whole entries of the command, `{max_cost}` and
 * `{max_steps}`: such an entry is left out with the one before it where there is no such limit. No shell reads them.
 */
export const harnessBridgeSchema = z.strictObject({
  name: z.string().min(1),
  /** Of this description; the log says which version of the harness ran. */
  version: z.string().min(1).default("1"),
  command: z.array(z.string()).min(1),
  env: z.record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/i), z.string()).default({}),
  /** Variables that are passed on from outside: keys. Whatever runs in the sandbox can read them. */
  pass_env: z.array(z.string()).default([]),
  /** Absolute, in the sandbox, outside the workspace. */
  log: z.string().startsWith("/"),
  /** Of the dropped file, with the dot. */
  extension: z
    .string()
    .regex(/^\.[\w.]+$/)
    .default(".json"),
  /** The log format, as `gymline formats` lists them. */
  format: z.string().min(1),
  /**
   * `top-level`: task id, verdict and attempt are put before the fields of the log's one JSON object, whose own text
   * stays as it is. `none`: the log is dropped byte by byte; only the run's ledger knows the verdict.
   */
  labels: z.enum(["top-level", "none"]).default("none"),
  max_log_bytes: z
    .int()
    .positive()
    .default(64 << 20),
});

export type HarnessBridge = Readonly<z.infer<typeof harnessBridgeSchema>>;

/** A harness cannot be run as it is described, or left no log that can be used. */
export class HarnessError extends Error {
  override readonly name = "HarnessError";
}

/** @throws HarnessError which names the field */
export function parseHarnessBridge(value: unknown, file: string): HarnessBridge {
  const read = harnessBridgeSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const field = issue?.path.map(String).join(".") || "the whole";
  throw new HarnessError(
    `${file} is no description of a harness: ${field}: ${issue?.message ?? "not valid"}`,
    {
      cause: read.error,
    },
  );
}

/**
 * mini-swe-agent 2.x (https://mini-swe-agent.com), its command line `mini`, with model calls through LiteLLM: names of
 * models begin with their provider (`anthropic/…`, `openai/…`, `hosted_vllm/…`). It saves its log after each step.
 */
export const MINI_SWE_AGENT: HarnessBridge = harnessBridgeSchema.parse({
  name: "mini-swe-agent",
  command: [
    ...["mini", "--yolo", "--exit-immediately", "--task", "{task}", "--model", "{model}"],
    ...["--output", "{log}", "--cost-limit", "{max_cost}", "--config", "mini.yaml"],
    ...["--config", "agent.step_limit={max_steps}"],
  ],
  env: {
    MSWEA_CONFIGURED: "true",
    MSWEA_SILENT_STARTUP: "1",
    MSWEA_COST_TRACKING: "ignore_errors",
    MSWEA_GLOBAL_CONFIG_DIR: "/tmp/mini-swe-agent",
    LITELLM_LOCAL_MODEL_COST_MAP: "True",
  },
  pass_env: [
    ...["ANTHROPIC_API_KEY", "ANTHROPIC_API_BASE", "OPENAI_API_KEY", "OPENAI_API_BASE"],
    ...["HOSTED_VLLM_API_KEY", "HOSTED_VLLM_API_BASE"],
  ],
  log: "/tmp/gymline-harness/log.traj.json",
  extension: ".traj.json",
  format: "mini-swe-agent",
  labels: "top-level",
});

/** What stands for the names in a description. */
export interface HarnessValues {
  readonly task: string;
  readonly task_id: string;
  readonly model: string;
  readonly seed: string;
  readonly log: string;
  readonly max_cost?: string;
  readonly max_steps?: string;
}

const NAME = /\{([a-z_]+)\}/g;
const OPTIONAL = /\{max_(?:cost|steps)\}/;

/** @throws HarnessError for a name that nothing stands for */
export function filledCommand(command: readonly string[], values: HarnessValues): readonly string[] {
  const filledIn: string[] = [];
  for (const entry of command) {
    const name = OPTIONAL.exec(entry)?.[0].slice(1, -1) as "max_cost" | "max_steps" | undefined;
    if (name !== undefined && values[name] === undefined) filledIn.pop();
    else filledIn.push(filled(entry, values));
  }
  return filledIn;
}

/** @throws HarnessError */
export function filled(text: string, values: HarnessValues): string {
  return text.replace(NAME, (whole, name: string) => {
    const value: string | undefined = Object.entries(values).find(([key]) => key === name)?.[1];
    if (value !== undefined) return value;
    throw new HarnessError(
      `${whole} in the description of a harness stands for nothing; there are {task}, {task_id}, {model}, {seed}, {log}, {max_cost}, {max_steps}`,
    );
  });
}
