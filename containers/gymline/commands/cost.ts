import type { Command } from "commander";
import {
  type CostLine,
  type CostReport,
  costOf,
  DEFAULT_WORKLOAD,
  sumOf,
  type Workload,
} from "../../../shared/cost/cost-model.ts";
import { costsPage, dollars } from "../../../shared/cost/costs-page.ts";
import { deploymentShape } from "../../../shared/cost/deployment-shape.ts";
import { PRICE_LIST, PRICES } from "../../../shared/cost/prices.ts";
import { sensitivities } from "../../../shared/cost/sensitivity.ts";
import { pc } from "../colours.ts";
import { deploymentFile, wholeNumber } from "../deployment.ts";
import { examples } from "../options.ts";
import { out, table } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface CostOptions {
  readonly trajectories?: string;
  readonly bytesPerTrajectory?: string;
  readonly perObject?: string;
  readonly judged?: string;
  readonly usdPerJudged?: string;
  readonly config?: string;
  readonly markdown?: boolean;
  readonly json?: boolean;
}

export function addCost(program: Command): void {
  const command = program
    .command("cost")
    .description("estimate what a deployment on AWS costs; docs/COSTS.md says what that rests on")
    .option("--trajectories <n>", "how many (default: a million)")
    .option("--bytes-per-trajectory <n>", "of its log, uncompressed (default: 60000)")
    .option("--per-object <n>", "trajectories in one dropped object (default: 1)")
    .option("--judged <share>", "of them, those that a model judges (default: 0)")
    .option("--usd-per-judged <usd>", "what the model's provider bills for one of them (default: 0)")
    .option("-c, --config <file>", "deployment file (default: ./gymline.deploy.json, if there is one)")
    .option("--markdown", "print the whole model for a million trajectories, as docs/COSTS.md has it")
    .option("--json", "print JSON");
  examples(command, [
    "gymline cost",
    "gymline cost --trajectories 50000 --bytes-per-trajectory 300000 --per-object 10",
    "gymline cost --judged 0.1 --usd-per-judged 0.004",
  ]).action(cost);
}

async function cost(options: CostOptions): Promise<void> {
  const { config, settings } = deploymentFile(options.config);
  const judgedShare = figure("--judged", options.judged, 1) ?? DEFAULT_WORKLOAD.judgedShare;
  const shape = deploymentShape(config, {
    hasJudge: settings.config.judge !== undefined || judgedShare > 0,
    hasCritic: settings.critic !== undefined,
  });
  if (options.markdown === true) {
    process.stdout.write(costsPage(shape));
    return;
  }
  const workload: Workload = {
    ...DEFAULT_WORKLOAD,
    trajectories: wholeNumber("--trajectories", options.trajectories) ?? DEFAULT_WORKLOAD.trajectories,
    bytesPerTrajectory:
      wholeNumber("--bytes-per-trajectory", options.bytesPerTrajectory) ??
      DEFAULT_WORKLOAD.bytesPerTrajectory,
    trajectoriesPerObject:
      wholeNumber("--per-object", options.perObject) ?? DEFAULT_WORKLOAD.trajectoriesPerObject,
    judgedShare,
    usdPerJudged:
      figure("--usd-per-judged", options.usdPerJudged, Number.MAX_VALUE) ?? DEFAULT_WORKLOAD.usdPerJudged,
  };
  const report = costOf(workload, shape);
  const telling = sensitivities(workload, shape);
  if (options.json === true) {
    const sums = { work: sumOf(report.work), keeping: sumOf(report.keeping), idle: sumOf(report.idle) };
    out(
      JSON.stringify({
        schema: "gymline.cost.v1",
        prices: PRICE_LIST,
        workload,
        shape,
        sums,
        ...report,
        telling,
      }),
    );
    return;
  }
  print(report, workload);
  const [first, second] = telling;
  if (first !== undefined && second !== undefined) {
    out(
      `  ${first.name} and ${second.name} tell most; figures that were assumed are marked in docs/COSTS.md`,
    );
  }
}

/** @throws UsageError */
function figure(option: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= most) return value;
  const range = most === 1 ? "from 0 to 1" : "of at least 0";
  throw new UsageError(`${option} takes a number ${range}, not "${text}"`);
}

function print(report: CostReport, { trajectories }: Workload): void {
  out(
    section(
      `Taking in, scoring and exporting ${trajectories.toLocaleString("en")} trajectories, once`,
      report.work,
    ),
  );
  out(section("Keeping them, each month", report.keeping));
  out(section("A deployment with nothing to do, each month", report.idle));
  out(`  US dollars, list prices of ${PRICE_LIST.region}, ${PRICE_LIST.date}, without free tiers`);
}

function section(title: string, lines: readonly CostLine[]): string {
  const columns = [
    { title: "service" },
    { title: "what" },
    { title: "quantity", align: "right" },
    { title: "unit" },
    { title: "USD", align: "right" },
  ] as const;
  const rows = lines.map(({ service, what, price, quantity, usd }) => [
    service,
    what,
    quantity.toLocaleString("en", { maximumFractionDigits: quantity < 100 ? 2 : 0 }),
    PRICES[price].unit,
    dollars(usd),
  ]);
  return `${pc.bold(title)}\n${table(columns, [...rows, ["sum", "", "", "", dollars(sumOf(lines))]])}\n`;
}
