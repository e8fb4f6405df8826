import {
  type Calls,
  PER_EXPORTED,
  PER_INGESTED,
  PER_JUDGED,
  PER_LONGER_OBJECT,
  PER_OBJECT,
  PER_SCORED,
  PER_SCORED_ALONG,
  totalOf,
} from "./calls.ts";
import { type CostLine, type CostReport, costOf, DEFAULT_WORKLOAD, sumOf } from "./cost-model.ts";
import { type DeploymentShape, withJudge } from "./deployment-shape.ts";
import { INPUTS } from "./inputs.ts";
import { costOfUnits, PRICE_LIST, PRICES } from "./prices.ts";
import { sensitivities } from "./sensitivity.ts";

type Row = readonly string[];

/** docs/COSTS.md: the model at its defaults, with everything that went into it. `shape` is a deployment's defaults. */
export function costsPage(shape: DeploymentShape): string {
  const million = costOf(DEFAULT_WORKLOAD, shape);
  return [
    "# Costs",
    "",
    "Written by the cost model in `shared/cost` (`gymline cost --markdown`); do not edit. `gymline cost` computes the same for your own figures.",
    "",
    `Prices of AWS in ${PRICE_LIST.region}, ${PRICE_LIST.date}, without free tiers and discounts: real bills are lower. US dollars. Figures marked _assumed_ were not measured on AWS; waiting and computing are added up as if they never overlapped.`,
    "",
    summary(million),
    "",
    `## A million trajectories`,
    "",
    `${count(DEFAULT_WORKLOAD.bytesPerTrajectory)} bytes each, one in each dropped object, each exported once.`,
    "",
    lineTable(million.work),
    "",
    "Keeping them, each month:",
    "",
    lineTable(million.keeping),
    "",
    "## A deployment with nothing to do, each month",
    "",
    lineTable(million.idle),
    "",
    "The sweeps are counted as if the drop were full all the time. Batch costs nothing while no job runs.",
    "",
    "## More bytes, fuller objects",
    "",
    "For a million trajectories, once:",
    "",
    variants(shape),
    "",
    "## A judge",
    "",
    judgeText(shape),
    "",
    "## An hour of a job",
    "",
    jobTable(),
    "",
    "## What tells",
    "",
    "Doubling one figure changes the cost of the work by:",
    "",
    markdown(
      ["figure", ">change"],
      sensitivities(DEFAULT_WORKLOAD, shape).map(({ name, change }) => [`\`${name}\``, percent(change)]),
    ),
    "",
    "## Requests, counted in the code",
    "",
    callTable(),
    "",
    "## Inputs",
    "",
    markdown(
      ["input", ">value", "unit", "known", "source"],
      Object.entries(INPUTS).map(([name, { value, unit, evidence, source }]) => [
        `\`${name}\``,
        count(value),
        unit,
        evidence === "assumed" ? "_assumed_" : evidence,
        source,
      ]),
    ),
    "",
    "## Prices",
    "",
    markdown(
      [">USD", ">for", "unit", "page"],
      Object.values(PRICES).map(({ usd, per, unit, page }) => [plain(usd), count(per), unit, page]),
    ),
    "",
  ].join("\n");
}

function summary({ work, keeping, idle }: CostReport): string {
  return markdown(
    ["", ">USD"],
    [
      ["a million trajectories, once", dollars(sumOf(work))],
      ["keeping them, a month", dollars(sumOf(keeping))],
      ["a deployment with nothing to do, a month", dollars(sumOf(idle))],
    ],
  );
}

function lineTable(lines: readonly CostLine[]): string {
  const rows = lines.map(({ service, what, price, quantity, usd }) => [
    service,
    what,
    count(quantity),
    PRICES[price].unit,
    dollars(usd),
  ]);
  return markdown(
    ["service", "what", ">quantity", "unit", ">USD"],
    [...rows, ["**sum**", "", "", "", `**${dollars(sumOf(lines))}**`]],
  );
}

function variants(shape: DeploymentShape): string {
  const sizes = [10_000, 60_000, 300_000];
  const fillings = [1, 10, 100];
  return markdown(
    ["bytes each", ...fillings.map((filling) => `>${filling} in an object`)],
    sizes.map((bytesPerTrajectory) => [
      count(bytesPerTrajectory),
      ...fillings.map((trajectoriesPerObject) => {
        const workload = { ...DEFAULT_WORKLOAD, bytesPerTrajectory, trajectoriesPerObject };
        return dollars(sumOf(costOf(workload, shape).work));
      }),
    ]),
  );
}

/** What the model itself bills is not ours to say; `gymline judge --dry-run` estimates it for trajectories at hand. */
function judgeText(shape: DeploymentShape): string {
  const judged = { ...DEFAULT_WORKLOAD, judgedShare: 1 };
  const more = sumOf(costOf(judged, shape).work) - sumOf(costOf(DEFAULT_WORKLOAD, shape).work);
  const idle = (of: DeploymentShape): number => sumOf(costOf(DEFAULT_WORKLOAD, of).idle);
  const each = idle(withJudge(shape)) - idle(shape);
  return [
    `Judging all of the million adds ${dollars(more)} on AWS, and a deployment with a judge costs ${dollars(each)} more each month.`,
    "What the provider of the model bills comes on top and depends on the model, on the length of trajectories and on batches: state it yourself, `gymline cost --judged 0.1 --usd-per-judged 0.004`.",
  ].join(" ");
}

function jobTable(): string {
  const spot = INPUTS.spotShare.value;
  const jobs = [
    ["job of two vCPUs, on demand", 2 * costOfUnits("cpuHour", 1)],
    ["job of two vCPUs, Spot", 2 * costOfUnits("cpuHour", spot)],
    ["training on a g6.xlarge, on demand", costOfUnits("gpuHour", 1)],
    ["training on a g6.xlarge, Spot", costOfUnits("gpuHour", spot)],
  ] as const;
  return markdown(
    ["job", ">USD"],
    jobs.map(([what, usd]) => [what, dollars(usd)]),
  );
}

function callTable(): string {
  const groups: readonly (readonly [string, readonly Calls[]])[] = [
    ["object", PER_OBJECT],
    ["longer object, more", PER_LONGER_OBJECT],
    ["trajectory, ingest", PER_INGESTED],
    ["trajectory, scored along", PER_SCORED_ALONG],
    ["trajectory, stage score", PER_SCORED],
    ["judged trajectory", PER_JUDGED],
    ["row of a dataset", PER_EXPORTED],
  ];
  const counted = ["s3Puts", "s3Gets", "writeUnits", "readUnits"] as const;
  const rows = groups.flatMap(([group, calls]): readonly Row[] => [
    ...calls.map((call) => [group, call.what, ...counted.map((name) => plain(call[name] ?? 0))]),
    [`**${group}**`, "", ...counted.map((name) => `**${plain(totalOf(calls, name))}**`)],
  ]);
  return markdown(["for each", "call", ">S3 PUT", ">S3 GET", ">write units", ">read units"], rows);
}

/** A table in columns, as the formatter wants it; titles that start with `>` stand over numbers. */
function markdown(titles: Row, rows: readonly Row[]): string {
  const isRight = titles.map((title) => title.startsWith(">"));
  const head = titles.map((title) => title.replace(/^>/, ""));
  const widths = head.map((title, index) =>
    Math.max(3, title.length, ...rows.map((row) => (row[index] ?? "").length)),
  );
  const cell = (text: string, index: number): string => {
    const width = widths[index] ?? 0;
    return isRight[index] === true ? text.padStart(width) : text.padEnd(width);
  };
  const render = (row: Row): string => `| ${row.map(cell).join(" | ")} |`;
  const rule = widths.map((width, index) =>
    isRight[index] === true ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  return [head, rule, ...rows].map(render).join("\n");
}

/** `12.34`; of less than a cent, that much. */
export function dollars(usd: number): string {
  if (usd > 0 && usd < 0.01) return "< 0.01";
  return usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function count(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });
}

function plain(value: number): string {
  return String(Number(value.toPrecision(8)));
}

function percent(share: number): string {
  const text = (100 * share).toFixed(1);
  return `${share >= 0 ? "+" : ""}${text} %`;
}
