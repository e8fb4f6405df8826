import type { Command } from "commander";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import { annotationPage } from "../../../shared/annotation/page.ts";
import { pageData, type ToAnnotate } from "../../../shared/annotation/page-data.ts";
import {
  type Sample,
  type Sampled,
  type StratumName,
  strataNames,
  stratifiedSample,
} from "../../../shared/annotation/sample.ts";
import { annotatorSchema } from "../../../shared/contracts/label.ts";
import { profileFor } from "../../../shared/stages/score-trajectory.ts";
import { wholeNumber } from "../deployment.ts";
import { annotatorFigures } from "../label-figures.ts";
import { importFiles } from "../label-import.ts";
import { seedOf } from "../numbers.ts";
import { examples, storeOption } from "../options.ts";
import { openOutput } from "../output.ts";
import { type SelectionOptions, selectionOf, selectionOptions } from "../selection-options.ts";
import { loadSettings, type Settings } from "../settings.ts";
import { loadTrajectory } from "../store-access.ts";
import { many, note, out, table } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface AnnotateOptions extends SelectionOptions {
  readonly store: string;
  readonly out?: string;
  readonly import?: readonly string[];
  readonly list?: boolean;
  readonly n: string;
  readonly seed: string;
  readonly annotator?: string;
  readonly strata?: string;
  readonly uncertain?: boolean;
  readonly showScores?: boolean;
  readonly config?: string;
  readonly domain?: string;
  readonly json?: boolean;
}

export function addAnnotate(program: Command): void {
  const command = program
    .command("annotate")
    .description("have people label trajectories: write a page to label on, take in what they saved")
    .option("-o, --out <page.html>", "write a page to label on; it works in any browser, without a network")
    .option("--import <files...>", "take in files of labels that such a page saved")
    .option("--list", "say who labelled how many")
    .option("-n, --n <n>", "trajectories on the page", "50")
    .option("--seed <n>", "of the draw; the same seed draws the same", "1")
    .option("--annotator <name>", "who is to label (default: the page asks)")
    .option(
      "--strata <names>",
      "what to draw evenly over: domain, success, score (thirds of the reward); default: all, with --uncertain all but score",
    )
    .option("--uncertain", "draw rewards near the middle first")
    .option("--show-scores", "show reward and verdict; without it, who labels is not led by them")
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)")
    .option("--domain <name>", "show the rubrics of this domain or profile file")
    .option("--json", "print JSON");
  selectionOptions(storeOption(command));
  examples(command, [
    "gymline annotate --store out --out page.html -n 60",
    "gymline annotate --store out --out hard.html --uncertain --success unknown",
    "gymline annotate --store out --import labels-*.json",
    "gymline annotate --store out --list",
  ]).action(annotate);
}

async function annotate(options: AnnotateOptions): Promise<void> {
  const asked = [options.out, options.import, options.list].filter((each) => each !== undefined);
  if (asked.length !== 1) throw new UsageError("give one of --out page.html, --import labels.json or --list");
  if (options.import !== undefined)
    await importFiles(options.import, { ...options, plan: settingsOf(options).plan });
  else if (options.list === true) await list(options);
  else await makePage(options);
}

async function makePage(options: AnnotateOptions): Promise<void> {
  const size = wholeNumber("--n", options.n) ?? 50;
  const seed = seedOf(options.seed);
  const uncertain = options.uncertain === true;
  const strata = strataOf(options.strata, uncertain);
  const annotator = options.annotator ?? "";
  if (annotator !== "" && !annotatorSchema.safeParse(annotator).success) {
    throw new UsageError(
      `--annotator takes lower-case letters, digits, ".", "_" and "-", not "${annotator}"`,
    );
  }
  const { plan } = settingsOf(options);
  const selection = selectionOf(options);
  const local = openForReading(options.store);
  try {
    const entries: Sampled[] = [];
    for await (const { id, domain: of, success, reward } of local.catalog.select(selection)) {
      entries.push({ id, domain: of, success, reward });
    }
    const sample = stratifiedSample(entries, { size, seed, strata, uncertain });
    if (sample.ids.length === 0) {
      throw new UsageError(`no trajectory of ${options.store} matches; gymline list shows what there is`);
    }
    const rewards = new Map(entries.map(({ id, reward }) => [id, reward]));
    const items: ToAnnotate[] = [];
    for (const id of sample.ids) {
      const trajectory = await loadTrajectory(local.store, id);
      items.push({
        trajectory,
        profile: profileFor(trajectory, plan.profile),
        reward: rewards.get(id) ?? null,
      });
    }
    const page = pageData(items, {
      annotator,
      showScores: options.showScores === true,
      ...(plan.rubrics === undefined ? {} : { rubrics: plan.rubrics }),
    });
    const output = await openOutput(options.out);
    try {
      await output.write(annotationPage(page));
      await output.finish();
    } catch (error) {
      await output.abort();
      throw error;
    }
    reportPage(options, { sample, pageId: page.page_id, seed, pool: entries.length });
  } finally {
    await local.close();
  }
}

function settingsOf({ config, domain }: AnnotateOptions): Settings {
  return loadSettings({
    ...(config === undefined ? {} : { config }),
    ...(domain === undefined ? {} : { domain }),
  });
}

function reportPage(
  options: AnnotateOptions,
  made: { readonly sample: Sample; readonly pageId: string; readonly seed: number; readonly pool: number },
): void {
  const { sample, pageId, seed, pool } = made;
  if (options.json === true) {
    out(
      JSON.stringify({
        schema: "gymline.annotation.v1",
        page: options.out,
        page_id: pageId,
        seed,
        ...sample,
      }),
    );
    return;
  }
  const columns = [
    { title: "stratum", max: 60 },
    { title: "of", align: "right" },
    { title: "drawn", align: "right" },
  ] as const;
  out(
    table(
      columns,
      sample.strata.map(({ name, of, taken }) => [name, String(of), String(taken)]),
    ),
  );
  const drawn = many(sample.ids.length, "trajectory", "trajectories");
  out(`${options.out}: ${drawn} of ${pool.toLocaleString("en")}, drawn with seed ${seed}`);
  out("  → open it in a browser, label, save the file, then: gymline annotate --import <file>");
}

function strataOf(text: string | undefined, uncertain: boolean): readonly StratumName[] {
  if (text === undefined) return strataNames.filter((name) => !uncertain || name !== "score");
  const names = text.split(",").map((name) => name.trim());
  return names.map((name) => {
    const found = strataNames.find((known) => known === name);
    if (found === undefined) throw new UsageError(`--strata takes ${strataNames.join(", ")}, not "${name}"`);
    return found;
  });
}

async function list(options: AnnotateOptions): Promise<void> {
  const local = openForReading(options.store);
  try {
    const { store, catalog } = local;
    const figures = await annotatorFigures({ store, ledger: catalog.ledger });
    if (options.json === true) {
      out(JSON.stringify({ schema: "gymline.annotators.v1", ...figures }));
      return;
    }
    const columns = [
      { title: "annotator" },
      { title: "labels", align: "right" },
      { title: "with others", align: "right" },
      { title: "last" },
    ] as const;
    const rows = figures.annotators.map(({ annotator, labels, shared, last }) => [
      annotator,
      String(labels),
      String(shared),
      last,
    ]);
    if (rows.length > 0) out(table(columns, rows));
    note(`${many(figures.trajectories, "trajectory has labels", "trajectories have labels")}`);
  } finally {
    await local.close();
  }
}
