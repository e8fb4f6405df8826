import type { Command } from "commander";
import type { Algorithm } from "../../shared/contracts/training-plan.ts";

/** An option of a trainer script that has a flag of its own: its name with dashes. */
export interface ScriptOption {
  /** As in `containers/trainer/gymline_trainer/config.py`. */
  readonly name: string;
  /** What follows the flag; without it, the flag means true. */
  readonly value?: string;
  readonly text: string;
}

const SPLIT = { name: "split", value: "name" } as const;
const MAX_LENGTH = {
  name: "max_length",
  value: "tokens",
  text: "length of a sequence; longer trajectories come in parts (default: 2048)",
} as const;
const OVER_LONG = {
  name: "over_long",
  value: "what",
  text: "a step that alone is too long: error, cut or skip (default: error)",
} as const;
const TEMPLATE = {
  name: "chat_template",
  value: "file",
  text: "Jinja file, or trl:<name> (default: the model's)",
} as const;
const PACKING = {
  name: "packing",
  text: "several sequences in a row of --max-length tokens; none sees another",
} as const;

const DTYPE = {
  name: "export_dtype",
  value: "type",
  text: "of the weights in model/: auto (as the model begun with), float32, bfloat16 or float16 (default: auto)",
} as const;

const COMMON: readonly ScriptOption[] = [
  { ...SPLIT, text: "split to train on (default: train)" },
  { name: "eval_split", value: "name", text: "evaluate on this split of the data, after each epoch" },
  MAX_LENGTH,
  OVER_LONG,
  TEMPLATE,
  { name: "epochs", value: "n", text: "times through the data (default: 3)" },
  { name: "max_steps", value: "n", text: "stop after so many steps of the optimizer" },
  { name: "batch_size", value: "rows", text: "rows at a time on each device (default: 4)" },
  {
    name: "gradient_accumulation_steps",
    value: "n",
    text: "batches in a step of the optimizer (default: 4)",
  },
  { name: "learning_rate", value: "rate", text: "at its highest (default: 2e-5)" },
  { name: "use_lora", text: "train an adapter instead of all weights" },
  { name: "qlora", text: "an adapter on a model in 4 bits (bitsandbytes)" },
  { name: "gradient_checkpointing", text: "less memory for more time" },
  { name: "save_steps", value: "n", text: "steps between checkpoints (default: 500)" },
  {
    name: "resume",
    value: "how",
    text: "auto: go on from the newest whole checkpoint in --out; never: begin anew, which removes them (default: auto)",
  },
  { name: "seed", value: "n", text: "of the order of the data, of dropout and of new weights (default: 42)" },
  {
    name: "export",
    value: "what",
    text: "model: one model for Transformers and vLLM; onnx: that, and ONNX; none: neither (default: model)",
  },
  DTYPE,
];

const OWN: Readonly<Record<Algorithm, readonly ScriptOption[]>> = {
  sft: [PACKING, { name: "step_weighted_loss", text: "steps weigh by their rewards, with a mean of 1" }],
  dpo: [
    { name: "beta", value: "x", text: "how far the policy may go from the reference (default: 0.1)" },
    { name: "loss", value: "name", text: "sigmoid, sigmoid_norm or ipo (default: sigmoid)" },
    { name: "label_smoothing", value: "share", text: "share of pairs thought to be the wrong way round" },
  ],
  grpo: [
    PACKING,
    {
      name: "advantage",
      value: "name",
      text: "trajectory, credit, proportional or process (default: trajectory)",
    },
    { name: "loss", value: "name", text: "grpo, dapo or dr_grpo (default: grpo)" },
    { name: "kl_coef", value: "x", text: "weight of the KL divergence (default: 0.01)" },
  ],
  prm: [{ name: "labels", value: "kind", text: "soft or hard (default: soft)" }],
};

/** Flags of `gymline train <algorithm>`. */
export function trainOptions(algorithm: Algorithm): readonly ScriptOption[] {
  return [...COMMON, ...OWN[algorithm]];
}

/** Flags of `gymline train new`. */
export const NEW_OPTIONS: readonly ScriptOption[] = [
  { ...SPLIT, text: "split that the tokenizer is made from (default: train)" },
  { name: "vocab_size", value: "n", text: "tokens at the most (default: 1024)" },
  { name: "hidden_size", value: "n", text: "width (default: 64)" },
  { name: "layers", value: "n", text: "blocks (default: 2)" },
  { name: "heads", value: "n", text: "of attention (default: 4)" },
  { name: "kv_heads", value: "n", text: "of keys and values (default: 2)" },
  { name: "context", value: "tokens", text: "of a conversation at the most (default: 2048)" },
  { name: "seed", value: "n", text: "of the weights (default: 42)" },
];

/** Flags of `gymline eval-model`. */
export const EVAL_OPTIONS: readonly ScriptOption[] = [
  { ...SPLIT, text: "split to evaluate on (default: test)" },
  { ...MAX_LENGTH, text: "tokens of a sequence at the most (default: 2048)" },
  OVER_LONG,
  TEMPLATE,
  { name: "batch_size", value: "rows", text: "rows at a time (default: 4)" },
  PACKING,
  { name: "seed", value: "n", text: "of the bootstrap (default: 42)" },
];

/** Flags of `gymline train export`. */
export const EXPORT_OPTIONS: readonly ScriptOption[] = [
  {
    name: "export",
    value: "what",
    text: "model: one model for Transformers and vLLM; onnx: that, and ONNX; none: neither (default: onnx)",
  },
  DTYPE,
];

export function addScriptOptions(command: Command, options: readonly ScriptOption[]): void {
  for (const { name, value, text } of options) {
    command.option(`--${dashed(name)}${value === undefined ? "" : ` <${value}>`}`, text);
  }
}

/** What was given of these options, by name; `given` is what commander made of the command line. */
export function givenOptions(
  options: readonly ScriptOption[],
  given: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { name } of options) {
    const value = given[name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (value === true || typeof value === "string") found.set(name, String(value));
  }
  return found;
}

/** The same for a script. It reads values as YAML, so what is neither number nor true is quoted. */
export function scriptArguments(given: ReadonlyMap<string, string>): readonly string[] {
  return [...given].flatMap(([name, value]) => {
    const isText = value !== "true" && (value.trim() === "" || Number.isNaN(Number(value)));
    return ["--set", `${name}=${isText ? JSON.stringify(value) : value}`];
  });
}

function dashed(name: string): string {
  return name.replaceAll("_", "-");
}
