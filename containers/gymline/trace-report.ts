import type { SourcePlace } from "../../shared/contracts/catalog-row.ts";
import { datasetPrefix, scoreKey, trajectoryKey } from "../../shared/contracts/keys.ts";
import type { VersionUse } from "../../shared/versions/version-uses.ts";
import { pc } from "./colours.ts";
import type { Lineage } from "./lineage.ts";
import { figure, many, printable, verdict } from "./terminal.ts";

/** Rows of one version that a line lists. */
const LISTED = 8;

/** From the dropped file to the rows of datasets. */
export function lineageLines(lineage: Lineage): readonly string[] {
  const line = (name: string, value: string, remark = ""): string =>
    `  ${pc.dim(name.padEnd(10))}${printable(value)}${remark === "" ? "" : `  ${pc.dim(printable(remark))}`}`;
  const { id, places, documents, scores, judgements, labels, votes, datasets, supersededBy } = lineage;
  const lines = [`\n${pc.bold(id)}`];
  if (lineage.forgotten)
    lines.push(line("forgotten", "nothing of it is kept but the rows of datasets named here"));
  else if (places.length === 0) lines.push(line("from", "no file that is still as it was read"));
  for (const place of places)
    lines.push(line("from", placeText(place), `project ${place.project}, record ${place.index}`));
  for (const key of documents) {
    lines.push(
      line("stored", key, key === trajectoryKey(id) ? `revision ${lineage.revision}` : "older revision"),
    );
  }
  const now = lineage.scorer === null ? "" : scoreKey(id, lineage.scorer);
  for (const key of scores) {
    const facts = `reward ${figure(lineage.reward)}, solved ${verdict(lineage.success)}`;
    lines.push(line("scored", key, key === now ? facts : "other scorer"));
  }
  for (const { key, model, revision, steps } of judgements) {
    const old = revision === lineage.revision ? "" : ", of an older revision";
    lines.push(line("judged", key, `${model}, ${many(steps, "step")}${old}`));
  }
  for (const { key, annotator, score } of labels) {
    lines.push(line("labelled", key, `${annotator}: ${figure(score, 2)}`));
  }
  if (votes.pairs > 0)
    lines.push(line("voted on", `${many(votes.pairs, "pair")}, ${many(votes.votes, "vote")}`));
  if (supersededBy !== null) lines.push(line("longer", `superseded by ${supersededBy}`));
  for (const use of datasets) lines.push(line("used in", useText(use), sinceThen(use, lineage)));
  if (datasets.length === 0) lines.push(line("used in", "no dataset"));
  return lines;
}

/** `file.jsonl!entry:12 $.runs[3]`, as rejections have it. */
function placeText({ key, entry, line, jsonPath }: SourcePlace): string {
  return `${key}${entry === null ? "" : `!${entry}`}${line === null ? "" : `:${line}`}${jsonPath === null ? "" : ` ${jsonPath}`}`;
}

function useText({ name, version, split, rows }: VersionUse): string {
  const prefix = datasetPrefix(name, version);
  if (rows === "unknown")
    return `${prefix} ${split}, rows not known: gymline datasets verify ${name}/${version}`;
  const byFile = [...Map.groupBy(rows, ({ path }) => path)].map(([path, some]) => {
    const more = some.length - LISTED;
    const shown = some.slice(0, LISTED).map(({ line }) => line);
    return `${prefix}${path}:${shown.join(",")}${more > 0 ? ` and ${more} more rows` : ""}`;
  });
  return byFile.join(" ");
}

/** How the row differs from what the store holds by now. */
function sinceThen({ input }: VersionUse, { revision, scorer, forgotten }: Lineage): string {
  if (input === undefined || forgotten) return "";
  const reward = `reward ${figure(input.reward)}`;
  const changes = [
    ...(input.revision === revision ? [] : [`revision ${input.revision}, revised since`]),
    ...(input.scorer === scorer ? [] : ["scored anew since"]),
  ];
  return [reward, ...changes].join(", ");
}
