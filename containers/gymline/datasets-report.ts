import type { ListedVersion } from "../../shared/versions/list-versions.ts";
import {
  forgottenRemedy,
  type Verification,
  type VersionFault,
} from "../../shared/versions/verify-version.ts";
import { pc } from "./colours.ts";
import type { OpenStore } from "./store-access.ts";
import { bytesText, duration, figure, many, printable, table } from "./terminal.ts";

/** Ids that a line lists. */
const LISTED = 3;
/** Faults of one kind that are shown one by one. */
const SHOWN = 10;

/** The versions with their marks; `now` in milliseconds. */
export function versionTable(versions: readonly ListedVersion[], now: number): string {
  const columns = [
    { title: "dataset", max: 24 },
    { title: "version" },
    { title: "target" },
    { title: "rows", align: "right" },
    { title: "trajectories", align: "right" },
    { title: "age", align: "right" },
    { title: "marks" },
  ] as const;
  const rows = versions.map((version) => [
    version.entry.name,
    version.entry.version,
    version.state === "whole" ? String(version.manifest.settings["target"]) : version.entry.format,
    version.state === "whole" ? version.manifest.rows.toLocaleString("en") : "–",
    version.entry.rows.toLocaleString("en"),
    duration((now - version.entry.createdAt) / 1000),
    marksOf(version),
  ]);
  return table(columns, rows);
}

function marksOf({ state, forgotten }: ListedVersion): string {
  const marks = state === "whole" ? [] : [state === "damaged" ? "manifest not readable" : state];
  if (forgotten.length > 0) marks.push(`holds ${forgotten.length} forgotten`);
  return marks.join(", ");
}

/** What a version holds that was forgotten, and what to do; nothing where there is none. */
export function forgottenLines(
  { entry, forgotten }: ListedVersion,
  { place }: Pick<OpenStore, "place">,
): readonly string[] {
  if (forgotten.length === 0) return [];
  const ids = shortIds(forgotten);
  return [
    `  ${pc.red("✗")} ${entry.name}/${entry.version} holds ${many(forgotten.length, "forgotten trajectory", "forgotten trajectories")}: ${ids}`,
    `    ${pc.dim("→")} ${forgottenRemedy(entry)} (in ${place})`,
  ];
}

function shortIds(ids: readonly string[]): string {
  const more = ids.length - LISTED;
  const shown = ids.slice(0, LISTED).map((id) => id.slice(0, 10));
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

type WholeVersion = Extract<ListedVersion, { readonly state: "whole" }>;

/** All that people want to know of a version. */
export function versionLines(
  version: WholeVersion,
  { opened, now }: { readonly opened: OpenStore; readonly now: number },
): readonly string[] {
  const { entry, manifest } = version;
  const { selection, statistics, made_by: by, inputs, beside, curation } = manifest;
  const line = (name: string, value: string): string => `${pc.dim(name.padEnd(11))}${printable(value)}`;
  const commit = by.commit === null ? "" : `, commit ${by.commit}`;
  const created = new Date(entry.createdAt).toISOString().replace("T", " ").slice(0, 16);
  const { excluded, pairs_left_out: pairs = {}, tasks_left_out: tasks = {} } = selection;
  return [
    pc.bold(`${manifest.name}/${manifest.version}`),
    line("in", `${opened.place}/datasets/${manifest.name}/${manifest.version}/`),
    line("created", `${created} UTC, ${duration((now - entry.createdAt) / 1000)} ago`),
    line("made by", `${by.tool} ${by.version}${commit}`),
    line("target", `${String(manifest.settings["target"])} (${manifest.format})`),
    line(
      "rows",
      `${manifest.rows.toLocaleString("en")} of ${many(selection.selected, "trajectory", "trajectories")}`,
    ),
    line("considered", many(selection.considered, "trajectory", "trajectories")),
    ...reasons(excluded).map((text) => line("left out", text)),
    ...reasons(pairs).map((text) => line("left out", `pairs: ${text}`)),
    ...reasons(tasks).map((text) => line("left out", `tasks: ${text}`)),
    ...(curation?.near_duplicates === undefined
      ? []
      : [
          line(
            "duplicates",
            `${curation.near_duplicates.removed} nearer than ${curation.near_duplicates.threshold}`,
          ),
        ]),
    ...(curation?.decontamination === undefined
      ? []
      : [
          line(
            "against",
            `${curation.decontamination.sets.map(({ name }) => name).join(", ")}: ${curation.decontamination.removed} left out`,
          ),
        ]),
    ...manifest.files.map(({ path, rows, tasks: of, bytes, sha256 }) =>
      line(
        "file",
        `${path}  ${many(rows, "row")}, ${many(of, "task")}, ${bytesText(bytes)}, sha256 ${sha256.slice(0, 12)}`,
      ),
    ),
    line(
      "inputs",
      `${inputs.path}  ${many(inputs.rows, "trajectory", "trajectories")}, sha256 ${inputs.sha256.slice(0, 12)}`,
    ),
    line("beside", beside.map(({ path }) => path).join(", ")),
    line("seed", String(manifest.seed)),
    ...leaves(manifest.settings).map(([path, value]) => line("setting", `${path} = ${value}`)),
    line(
      "reward",
      `mean ${figure(statistics.reward_mean)}, from ${figure(statistics.reward_min)} to ${figure(statistics.reward_max)}`,
    ),
    ...(["success", "domain", "format", "agent", "model"] as const).map((by) =>
      line(`by ${by}`, counted(statistics[`by_${by}`])),
    ),
    line(
      "messages",
      `${statistics.messages.toLocaleString("en")}, ${statistics.trained_messages.toLocaleString("en")} to be learnt; ${many(statistics.redactions, "redaction")}`,
    ),
    ...forgottenLines(version, opened),
  ];
}

function reasons(counts: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(counts).map(([reason, count]) => `${count} ${reason}`);
}

function counted(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return entries.map(([name, count]) => `${name} ${count}`).join(", ") || "–";
}

function leaves(value: unknown, path = ""): readonly (readonly [path: string, value: string])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([name, inner]) =>
    leaves(inner, path === "" ? name : `${path}.${name}`),
  );
}

/** One line for a sound version; else what is wrong with it. */
export function verificationLines(
  found: Verification,
  { option }: Pick<OpenStore, "option">,
): readonly string[] {
  const { name, version, faults, files, bytes, inputs, revised, rescored } = found;
  const looked = `${many(files, "file")} (${bytesText(bytes)}), ${many(inputs, "trajectory", "trajectories")}`;
  const sign = faults.length === 0 ? pc.green("✓") : pc.red("✗");
  const lines = [
    `${sign} ${pc.bold(`${name}/${version}`)}  ${looked}${faults.length === 0 ? "" : `, ${many(faults.length, "fault")}`}`,
  ];
  const kinds = Map.groupBy(faults, ({ code, remedy }) => `${code} ${remedy}`);
  for (const alike of kinds.values()) {
    for (const { place, code, reason } of alike.slice(0, SHOWN)) {
      lines.push(`  ${pc.red("✗")} ${printable(place)}  ${pc.dim(code)}`, `    ${printable(reason)}`);
    }
    if (alike.length > SHOWN)
      lines.push(`  … and ${alike.length - SHOWN} more of the kind (--json lists all)`);
    lines.push(...remedyOf(alike));
  }
  if (revised > 0) {
    lines.push(
      `  ${pc.dim(`${many(revised, "trajectory", "trajectories")} revised since: a new version would differ`)}`,
    );
  }
  if (rescored > 0) {
    lines.push(
      `  ${pc.dim(`${many(rescored, "trajectory", "trajectories")} scored anew since: gymline export ${option} writes a version with the new scores`)}`,
    );
  }
  return lines;
}

function remedyOf([first]: readonly VersionFault[]): readonly string[] {
  return first === undefined ? [] : [`    ${pc.dim("→")} ${printable(first.remedy)}`];
}
