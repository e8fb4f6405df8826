import { distance } from "fastest-levenshtein";
import type { Catalog, DatasetEntry } from "../ports/catalog.ts";

/** No dataset version, or several, are called what was asked for; the message names those that may be meant. */
export class UnknownVersionError extends Error {
  override readonly name = "UnknownVersionError";
}

/** How many names a message lists. */
const LISTED = 5;

/**
 * The version that a text means: `<dataset>/<version>`, of which the first digits will do, or `<dataset>` for its newest
 * one. A path of its folder is taken too.
 * @throws UnknownVersionError
 */
export async function findVersion(text: string, catalog: Pick<Catalog, "datasets">): Promise<DatasetEntry> {
  const [name = "", wanted, ...rest] = text
    .replace(/^(?:.*\/)?datasets\//, "")
    .replace(/\/$/, "")
    .split("/");
  if (name === "" || rest.length > 0) {
    throw new UnknownVersionError(
      `"${text}" names no dataset version: give <dataset> or <dataset>/<version>`,
    );
  }
  const names = new Set<string>();
  const versions: DatasetEntry[] = [];
  for await (const entry of catalog.datasets()) {
    names.add(entry.name);
    if (entry.name === name) versions.push(entry);
  }
  if (versions.length === 0) throw new UnknownVersionError(noDataset(name, [...names]));
  // They come the oldest first.
  const newest = versions.toReversed();
  const found =
    wanted === undefined ? newest.slice(0, 1) : newest.filter(({ version }) => version.startsWith(wanted));
  const [only, ...others] = found
    .filter(({ version }) => version === wanted)
    .concat(found)
    .slice(0, LISTED + 1);
  if (only === undefined) {
    const near = nearest(
      wanted ?? "",
      newest.map(({ version }) => version),
    );
    const what = `the dataset ${name} has no version that starts with "${wanted}"`;
    throw new UnknownVersionError(`${what}; it has ${listed(near)} (gymline datasets list ${name})`);
  }
  if (others.length > 0 && only.version !== wanted) {
    const several = listed([only, ...others].map(({ version }) => version));
    throw new UnknownVersionError(
      `${name}/${wanted} means several versions: ${several}; give more of its digits`,
    );
  }
  return only;
}

function noDataset(name: string, names: readonly string[]): string {
  if (names.length === 0) return "the store holds no dataset yet; gymline export writes one";
  return `the store holds no dataset "${name}"; nearest are ${listed(nearest(name, names))}`;
}

function nearest(text: string, names: readonly string[]): readonly string[] {
  const far = new Map(names.map((name) => [name, distance(text, name.slice(0, Math.max(text.length, 4)))]));
  return names.toSorted((a, b) => (far.get(a) ?? 0) - (far.get(b) ?? 0));
}

function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return `${names.slice(0, LISTED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
