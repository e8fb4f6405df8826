import { z } from "zod";

/** One of the program's commands as a tool. */
export interface CommandTool {
  readonly name: string;
  readonly description: string;
  /** Changes nothing. */
  readonly readOnly: boolean;
  readonly input: z.ZodObject;
  /** Arguments of the command, from checked input. */
  args(input: Readonly<Record<string, unknown>>, defaults: { readonly store: string }): readonly string[];
}

const paths = z.array(z.string().min(1)).min(1).describe("files and folders of agent logs");
const store = z.string().min(1).optional().describe("folder of the store; default: that of the server");
const filters = {
  project: z.string().optional(),
  onlyDomain: z.string().optional().describe("this domain only"),
  agent: z.string().optional().describe("this agent only"),
  model: z.string().optional().describe("this model only"),
  success: z.string().optional().describe("true, false or unknown"),
  minScore: z.number().min(0).max(1).optional().describe("least total reward"),
  limit: z.int().positive().optional().describe("at most so many, the best first"),
};
const reading = {
  format: z.string().optional().describe("read everything as this format instead of detecting it"),
  domain: z.string().optional().describe("score everything by this domain"),
};

interface Spec {
  readonly name: string;
  readonly description: string;
  readonly readOnly: boolean;
  readonly options: z.ZodRawShape;
  /** Names of options that stand by themselves, in order. */
  readonly positional?: readonly string[];
  /** The option that names the store. */
  readonly storeOption?: "store" | "out";
}

const SPECS: readonly Spec[] = [
  {
    name: "list",
    description: "Lists the trajectories of a store, best first, one JSON object a line.",
    readOnly: true,
    options: { ...filters, task: z.string().optional(), sort: z.enum(["reward", "gdi"]).optional(), store },
    storeOption: "store",
  },
  {
    name: "show",
    description: "Shows one trajectory with its scores, by its id or the first digits of it.",
    readOnly: true,
    options: { id: z.string().min(1), store },
    positional: ["id"],
    storeOption: "store",
  },
  {
    name: "trace",
    description: "Follows a trajectory or dataset row back to its log, or a dropped log forward to its rows.",
    readOnly: true,
    options: { id: z.string().min(1).describe("id, or key of a dropped file"), store },
    positional: ["id"],
    storeOption: "store",
  },
  {
    name: "score",
    description: "Scores logs by rules, signals and outcome; stores nothing.",
    readOnly: true,
    options: { paths, ...reading },
    positional: ["paths"],
  },
  {
    name: "validate",
    description: "Reads logs and says what is in them, what is odd, what is lost and what cannot be read.",
    readOnly: true,
    options: { paths, format: reading.format },
    positional: ["paths"],
  },
  {
    name: "formats",
    description: "Lists the log formats that are read.",
    readOnly: true,
    options: {},
  },
  {
    name: "domains",
    description: "Lists the domains that scoring knows, or shows one with its tools and rubrics.",
    readOnly: true,
    options: { name: z.string().optional() },
    positional: ["name"],
  },
  {
    name: "status",
    description: "Shows how a deployment on AWS is doing: queues, catalog, datasets, jobs.",
    readOnly: true,
    options: { deployment: z.string().optional() },
  },
  {
    name: "run",
    description: "Takes in a drop folder: converts, redacts, scores, and exports a data set.",
    readOnly: false,
    options: {
      drop: z.string().min(1).describe("folder or file of agent logs"),
      ...reading,
      export: z.boolean().optional().describe("false: stop after scoring"),
      target: z.string().optional().describe("trainer it is for, such as trl or verl"),
      name: z.string().optional().describe("name of the data set"),
      store,
    },
    positional: ["drop"],
    storeOption: "out",
  },
  {
    name: "export",
    description: "Writes a version of a data set from what the store holds.",
    readOnly: false,
    options: {
      ...filters,
      target: z.string().optional().describe("trainer it is for, such as trl or verl"),
      name: z.string().optional().describe("name of the data set"),
      split: z.string().optional().describe("train/validation/test, such as 0.8/0.1/0.1"),
      store,
    },
    storeOption: "store",
  },
  {
    name: "collect",
    description:
      "Lets an agent attempt tasks in an environment and drops its trajectories. Calls to models cost money.",
    readOnly: false,
    options: {
      env: z.string().optional(),
      envOptions: z.string().optional().describe("JSON"),
      agent: z.string().optional().describe("anthropic, openai-compatible, scripted:<file>, …"),
      model: z.string().optional(),
      baseUrl: z.string().optional(),
      tasks: z.string().optional().describe("file of tasks"),
      ids: z.string().optional().describe("these tasks only, separated by commas"),
      n: z.int().positive().optional().describe("attempts at each task"),
      parallel: z.int().positive().optional(),
      seed: z.int().nonnegative().optional(),
      limit: z.int().positive().optional(),
      maxSteps: z.int().positive().optional(),
      timeout: z.number().positive().optional().describe("seconds of an episode"),
      maxCost: z.number().nonnegative().optional().describe("US dollars of an episode"),
      maxRunCost: z.number().nonnegative().optional().describe("US dollars of the run"),
      resume: z.string().optional().describe("name of a run to go on with"),
      out: z.string().optional().describe("drop folder"),
    },
  },
];

export const COMMAND_TOOLS: readonly CommandTool[] = SPECS.map((spec) => ({
  name: spec.name,
  description: spec.description,
  readOnly: spec.readOnly,
  input: z.strictObject(spec.options),
  args: (input, defaults) => argsOf(spec, input, defaults),
}));

function argsOf(
  { name, positional = [], storeOption }: Spec,
  input: Readonly<Record<string, unknown>>,
  defaults: { readonly store: string },
): readonly string[] {
  const options = Object.entries(input).flatMap(([option, value]) => {
    if (value === undefined || positional.includes(option) || option === "store") return [];
    const flag = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value === false) return [`--no-${flag}`];
    if (value === true) return option === "export" ? [] : [`--${flag}`];
    return [`--${flag}=${String(value)}`];
  });
  const place =
    storeOption === undefined ? [] : [`--${storeOption}=${String(input["store"] ?? defaults.store)}`];
  const own = positional.flatMap((option) => input[option] ?? []).map(String);
  // Nothing that a client gives is taken for an option.
  return [name, "--json", ...place, ...options, ...(own.length === 0 ? [] : ["--", ...own])];
}
