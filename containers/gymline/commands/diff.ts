import type { Command } from "commander";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import { type ContentItem, contentItems } from "../../../shared/trajectory/identity.ts";
import type { Trajectory } from "../../../shared/trajectory/schema.ts";
import { pc } from "../colours.ts";
import { examples, storeOption } from "../options.ts";
import { loadTrajectory, resolveId } from "../store-access.ts";
import { many, out, printableLines } from "../terminal.ts";

interface DiffOptions {
  readonly store: string;
  readonly full?: boolean;
  readonly json?: boolean;
}

const SHORT = 400;

export function addDiff(program: Command): void {
  const command = program
    .command("diff")
    .description("show where two trajectories part: the first action or observation in which they differ")
    .argument("<id>")
    .argument("<id>")
    .option("--full", "do not shorten long texts")
    .option("--json", "print JSON");
  storeOption(command);
  examples(command, ["gymline diff 3f2a91 c07d44 --store out"]).action(diff);
}

async function diff(first: string, second: string, options: DiffOptions): Promise<void> {
  const local = openForReading(options.store);
  try {
    const ids = [await resolveId(local.catalog, first), await resolveId(local.catalog, second)] as const;
    const [left, right] = [
      await loadTrajectory(local.store, ids[0]),
      await loadTrajectory(local.store, ids[1]),
    ];
    const [a, b] = [itemsOf(left), itemsOf(right)];
    let shared = 0;
    while (shared < a.length && shared < b.length && a[shared]?.key === b[shared]?.key) shared += 1;
    if (options.json === true) {
      const side = (items: readonly Item[]): unknown => items[shared]?.item ?? null;
      const facts = { ids, shared, left: side(a), right: side(b), lengths: [a.length, b.length] };
      out(JSON.stringify({ schema: "gymline.diff.v1", ...facts }));
      return;
    }
    if (shared === a.length && shared === b.length) {
      out(`the same ${many(a.length, "action and observation", "actions and observations")} in both`);
      return;
    }
    out(`${many(shared, "action or observation", "actions and observations")} in common, then they part`);
    const limit = options.full === true ? Number.POSITIVE_INFINITY : SHORT;
    side(pc.red("-"), { id: ids[0], next: a[shared], limit });
    side(pc.green("+"), { id: ids[1], next: b[shared], limit });
  } finally {
    await local.close();
  }
}

interface Item {
  readonly stepId: number;
  readonly item: ContentItem;
  readonly key: string;
}

function itemsOf(trajectory: Trajectory): readonly Item[] {
  const own = trajectory.steps.filter((step) => step.is_copied_context !== true);
  return own.flatMap((step) =>
    [...contentItems(step)].map((item) => ({ stepId: step.step_id, item, key: JSON.stringify(item) })),
  );
}

function side(
  sign: string,
  part: { readonly id: string; readonly next: Item | undefined; readonly limit: number },
): void {
  out(
    `\n${sign} ${part.id.slice(0, 10)} ${part.next === undefined ? "ends here" : `step ${part.next.stepId}`}`,
  );
  if (part.next === undefined) return;
  const [kind, ...rest] = part.next.item;
  const text = rest
    .map((value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2)))
    .join("\n");
  const cut =
    text.length > part.limit
      ? `${text.slice(0, part.limit)}… (${text.length - part.limit} more characters)`
      : text;
  for (const line of printableLines(`${String(kind)}: ${cut}`).split("\n")) out(`${sign}   ${line}`);
}
