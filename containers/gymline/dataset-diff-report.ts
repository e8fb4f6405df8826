import type { ChangedInput, ChangedValue, VersionDiff } from "../../shared/versions/diff-versions.ts";
import { pc } from "./colours.ts";
import { figure, many, printable } from "./terminal.ts";

/** Trajectories of one kind that are shown without `--full`. */
const SHOWN = 10;

/** What changed between two versions, for people. */
export function diffReport(diff: VersionDiff, { full }: { readonly full: boolean }): string {
  const { versions, added, removed, revised, rescored, moved, unchanged } = diff;
  const limit = full ? Number.POSITIVE_INFINITY : SHOWN;
  const list = <T>(title: string, items: readonly T[], text: (item: T) => string): readonly string[] => {
    if (items.length === 0) return [];
    const more = items.length - limit;
    return [
      pc.bold(`${title}  ${items.length.toLocaleString("en")}`),
      ...items.slice(0, limit).map((item) => `  ${text(item)}`),
      ...(more > 0 ? [`  … and ${more.toLocaleString("en")} more (--full shows them)`] : []),
    ];
  };
  const lines = [
    ...values("Settings", diff.settings),
    ...list(
      "Added",
      added,
      ({ id, split, reward }) => `${pc.green("+")} ${id.slice(0, 10)}  ${split}, reward ${figure(reward)}`,
    ),
    ...list(
      "Removed",
      removed,
      ({ id, split, reward }) => `${pc.red("-")} ${id.slice(0, 10)}  ${split}, reward ${figure(reward)}`,
    ),
    ...list("Revised", revised, (change) => changed(change, contentText(change))),
    ...list("Scored anew", rescored, (change) => changed(change, scoreText(change))),
    ...list("In another split", moved, (change) =>
      changed(change, `${change.before.split} → ${change.after.split}`),
    ),
    ...values("Counts", diff.counts),
    ...values("Statistics", diff.statistics),
  ];
  const head = `${versions[0]} → ${versions[1]}`;
  const same = `${many(unchanged, "trajectory is", "trajectories are")} the same in both`;
  return [pc.bold(head), ...lines, lines.length === 0 ? "nothing differs" : same].join("\n");
}

function changed({ id }: ChangedInput, text: string): string {
  return `${pc.yellow("~")} ${id.slice(0, 10)}  ${text}`;
}

function contentText({ before, after }: ChangedInput): string {
  const content = before.content_id === after.content_id ? "same content" : "other content";
  return `revision ${before.revision} → ${after.revision}, ${content}`;
}

function scoreText({ before, after }: ChangedInput): string {
  const scorer =
    before.scorer === after.scorer
      ? "same scorer"
      : `scorer ${before.scorer ?? "none"} → ${after.scorer ?? "none"}`;
  return `reward ${figure(before.reward)} → ${figure(after.reward)}, ${scorer}`;
}

function values(title: string, changes: readonly ChangedValue[]): readonly string[] {
  if (changes.length === 0) return [];
  return [
    pc.bold(title),
    ...changes.map(({ path, before, after }) => `  ${printable(path)}  ${shown(before)} → ${shown(after)}`),
  ];
}

function shown(value: unknown): string {
  return value === undefined ? "–" : printable(JSON.stringify(value));
}
