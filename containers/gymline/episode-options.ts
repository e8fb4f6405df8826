import type { Command } from "commander";
import { collect as several } from "./options.ts";

/** Options of all commands that run episodes, here or in jobs. */
export function episodeOptions(command: Command): Command {
  return command
    .option("--env <id>", "environment, such as gymline/sandbox-v1")
    .option("--env-options <json|file>", "options of the environment, as JSON or a file of it")
    .option(
      "--env-module <module>",
      "module that registers environments (may be given several times)",
      several,
    )
    .option(
      "--agent <name>",
      "anthropic, openai-compatible, onnx, random, scripted:<file>, mini-swe-agent or bridge:<file.json>",
    )
    .option(
      "--model <name>",
      "the model that acts; for onnx the folder of an exported model (gymline rollout: models/<name>/<version> of the store)",
    )
    .option("--base-url <url>", "address of the provider, for gateways and local models")
    .option("--api-key-variable <name>", "environment variable that holds the key")
    .option("--tasks <file>", "JSON Lines of tasks, or rows of SWE-bench")
    .option(
      "--backend <name>",
      "where sandboxes run: docker (default); process (bubblewrap, weaker); process-unisolated (trusted programs only)",
    )
    .option("--ids <list>", "these tasks only, separated by commas")
    .option("--domain <list>", "tasks of these domains only")
    .option("--difficulty <list>", "tasks of these difficulties only")
    .option("--language <list>", "tasks of these languages only")
    .option("--sample <n>", "so many tasks, drawn by --seed")
    .option("--limit <n>", "at most so many tasks")
    .option("--n <count>", "attempts at each task (default: 1)")
    .option("--run <name>", "name of the run (default: made from the time)")
    .option("--seed <n>", "seed of the run (default: one drawn, which the run tells)")
    .option("--max-steps <n>", "answers of the agent in an episode (default: 50)")
    .option("--timeout <seconds>", "time of an episode")
    .option("--max-cost <usd>", "cost of an episode")
    .option(
      "--max-failures <n>",
      "end the run after so many failed episodes in a row; 0: never (default: 10)",
    )
    .option("--temperature <x>", "of the model; some take none")
    .option("--top-p <x>", "onnx: draw among the likeliest tokens that together reach this share")
    .option("--top-k <n>", "onnx: draw among the so many likeliest tokens")
    .option("--precision <name>", "onnx: fp32 or q4 (default: fp32, if it is there)")
    .option(
      "--tool-syntax <name>",
      "onnx: hermes, llama, mistral, qwen-xml, action or none (default: told from the chat template)",
    )
    .option("--answer-tokens <n>", "most tokens of an answer, thinking among them (default: 8192)")
    .option("--thinking <tokens|adaptive>", "let an Anthropic model think")
    .option("--context <tokens>", "size of the model's context, to make room ahead of time")
    .option("--on-overflow <what>", "stop, or forget the oldest results (default: stop)")
    .option("--tokens", "record exact tokens and log-probs (vLLM; onnx always does)")
    .option("--system <file>", "system prompt of the agent, in place of its own")
    .option(
      "-c, --config <file>",
      "configuration file, for prices (default: ./gymline.json, if there is one)",
    );
}
