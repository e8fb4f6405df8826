import type { Command } from "commander";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import type { CatalogEntry } from "../../../shared/contracts/catalog-row.ts";
import { type GdiScore, gdiOf } from "../../../shared/curation/gdi.ts";
import { examples, storeOption } from "../options.ts";
import { type SelectionOptions, selectionOf, selectionOptions } from "../selection-options.ts";
import { type Column, figure, many, note, out, table, verdict } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface ListOptions extends SelectionOptions {
  readonly store: string;
  readonly sort: string;
  readonly limit: string;
  readonly superseded?: boolean;
  readonly json?: boolean;
}

export function addList(program: Command): void {
  const command = program.command("list").description("list the trajectories of a store, best first");
  selectionOptions(command)
    .option("--sort <by>", "reward or gdi", "reward")
    .option("--limit <n>", "at most so many", "50")
    .option("--superseded", "also logs that a longer one of their session superseded")
    .option("--json", "one JSON object a line");
  storeOption(command);
  examples(command, [
    "gymline list --store out",
    "gymline list --sort gdi --limit 20",
    "gymline list --success false --sort gdi --json | jq .id",
  ]).action(list);
}

async function list(options: ListOptions): Promise<void> {
  if (options.sort !== "reward" && options.sort !== "gdi") {
    throw new UsageError(`--sort takes reward or gdi, not "${options.sort}"`);
  }
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`--limit takes a whole number, not "${options.limit}"`);
  const local = openForReading(options.store);
  try {
    const now = systemClock.now();
    const ranked: Ranked[] = [];
    let found = 0;
    for await (const entry of local.catalog.select({
      ...selectionOf(options),
      ...(options.superseded === true ? { includeSuperseded: true } : {}),
    })) {
      found += 1;
      // Sorted by reward already; by GDI all have to be seen.
      if (options.sort === "reward" && ranked.length >= limit) continue;
      ranked.push({ entry, gdi: gdiOf(entry, now) });
    }
    if (options.sort === "gdi") ranked.sort((a, b) => b.gdi.total - a.gdi.total);
    const shown = ranked.slice(0, limit);
    if (options.json === true) {
      for (const { entry, gdi } of shown) {
        const { total, ...parts } = gdi;
        out(JSON.stringify({ ...entry, gdi: total, gdi_parts: parts }));
      }
    } else print(shown, { found, parts: options.sort === "gdi" });
  } finally {
    await local.close();
  }
}

/** Of the GDI, besides the reward, which has a column anyway. */
const PARTS: readonly Column[] = [
  { title: "use", align: "right" },
  { title: "feedback", align: "right" },
  { title: "fresh", align: "right" },
];

interface Ranked {
  readonly entry: CatalogEntry;
  /** At this moment: freshness and use change from day to day. */
  readonly gdi: GdiScore;
}

function print(
  shown: readonly Ranked[],
  { found, parts }: { readonly found: number; readonly parts: boolean },
): void {
  if (shown.length === 0) {
    note("no trajectory matches");
    return;
  }
  const columns: readonly Column[] = [
    { title: "id" },
    { title: "task", max: 34 },
    { title: "format" },
    { title: "domain" },
    { title: "agent", max: 20 },
    { title: "model", max: 22 },
    { title: "solved" },
    { title: "reward", align: "right" },
    { title: "gdi", align: "right" },
    ...(parts ? PARTS : []),
    { title: "steps", align: "right" },
    { title: "exports", align: "right" },
  ];
  const rows = shown.map(({ entry, gdi }) => [
    entry.id.slice(0, 10),
    entry.taskId ?? "–",
    entry.format,
    entry.domain,
    entry.agent,
    entry.model ?? "–",
    verdict(entry.success),
    figure(entry.reward),
    figure(gdi.total),
    ...(parts ? [figure(gdi.utility), figure(gdi.feedback), figure(gdi.freshness)] : []),
    String(entry.agentSteps),
    String(entry.exportCount),
  ]);
  out(table(columns, rows));
  note(`${shown.length} of ${many(found, "trajectory", "trajectories")}`);
}
