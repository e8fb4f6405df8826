import { dirname, isAbsolute, resolve } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { type OnlineConfig, onlineConfigSchema } from "../../../shared/contracts/online-config.ts";
import { EXIT } from "../exit-code.ts";
import { filled } from "../online/placeholders.ts";
import { examples } from "../options.ts";
import { loadSettings, readJson } from "../settings.ts";
import { note, out, table } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface OnlineCommandOptions {
  readonly config: string;
  readonly iterations?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addOnline(program: Command): void {
  const command = program
    .command("online")
    .description(
      "collect, score, export, train, evaluate and promote, again and again, on this machine; docs/LOOP.md",
    )
    .option("-c, --config <file>", "what the loop is made of", "online.json")
    .option("--iterations <n>", "as many as this, whatever the file says")
    .option("--dry-run", "check the configuration and show it; run nothing")
    .option("--json", "print where the loop stands as JSON in the end");
  examples(command, [
    "gymline online",
    "gymline online --config agent/online.json --iterations 10",
    "gymline models show agent/<version>     (what was decided, with its numbers)",
  ])
    .addHelpText("after", "\nStopped or killed at any moment, the same command goes on.")
    .action(run);
}

async function run(options: OnlineCommandOptions): Promise<void> {
  const config = configOf(options);
  const settings = loadSettings(config.config === undefined ? {} : { config: config.config });
  const dataset = settings.config.dataset.name;
  if (options.dryRun === true) {
    out(JSON.stringify({ ...config, dataset }, null, 1));
    return;
  }
  const { runOnline } = await import("../online/online-run.ts");
  const abort = new AbortController();
  const stop = (): void => {
    note("stopping; the same command goes on");
    abort.abort();
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const main = process.argv[1] ?? "";
  const state = await runOnline({
    config,
    dataset,
    cwd: dirname(resolve(options.config)),
    program: ([path = "", ...args]) =>
      path === "gymline" ? { path: process.execPath, args: [main, ...args] } : { path, args },
    onEvent: ({ type, detail }) =>
      note(`  ${type} ${String(detail["version"] ?? detail["job"] ?? "")}`.trimEnd()),
    onPhase: ({ iteration, phase }) => note(`iteration ${iteration + 1} of ${config.iterations}: ${phase}`),
    signal: abort.signal,
  }).finally(() => process.off("SIGINT", stop).off("SIGTERM", stop));
  if (options.json === true) out(JSON.stringify(state));
  else {
    const rows = state.iterations.map((each) => [
      String(each.iteration + 1),
      each.dataset ?? "–",
      each.outcome,
      each.champion ?? "–",
      each.reason ?? "",
    ]);
    const columns = [
      { title: "iteration", align: "right" },
      { title: "dataset" },
      { title: "outcome" },
      { title: "champion" },
      { title: "why", max: 80 },
    ] as const;
    out(table(columns, rows));
  }
  if (abort.signal.aborted) process.exitCode = EXIT.fault;
}

/** @throws UsageError */
function configOf({ config: path, iterations }: OnlineCommandOptions): OnlineConfig {
  const parsed = onlineConfigSchema.safeParse(readJson(path));
  if (!parsed.success)
    throw new UsageError(`${path} is no configuration of a loop: ${z.prettifyError(parsed.error)}`);
  const folder = dirname(resolve(path));
  const at = (place: string): string => (isAbsolute(place) ? place : resolve(folder, place));
  const { data } = parsed;
  // A name that there is not is found before the first iteration has cost its time.
  const common = { files: "", store: "", drop: "", run: "" };
  filled(data.collect, { ...common, iteration: 0 });
  filled(data.train, { ...common, dataset: "", out: "" });
  for (const value of Object.values(data.evaluate.agent)) filled([String(value)], { files: "" });
  const count = iterations === undefined ? data.iterations : Number(iterations);
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`--iterations takes a whole number of at least 1, not "${iterations}"`);
  }
  return {
    ...data,
    iterations: count,
    base: at(data.base),
    store: at(data.store),
    drop: at(data.drop),
    folder: at(data.folder),
    ...(data.config === undefined ? {} : { config: at(data.config) }),
  };
}
