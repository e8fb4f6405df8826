import type { DatasetInput, Manifest } from "../dataset/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { versionInputs } from "./version-inputs.ts";

/** A value that is another one in the second version; `undefined` where one of them has none. */
export interface ChangedValue {
  /** Names and indexes from the root, joined by dots. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface ChangedInput {
  readonly id: string;
  readonly before: Pick<DatasetInput, "revision" | "content_id" | "scorer" | "reward" | "split">;
  readonly after: Pick<DatasetInput, "revision" | "content_id" | "scorer" | "reward" | "split">;
}

/** What a second version of a dataset, or another dataset, has that a first one has not. */
export interface VersionDiff {
  readonly schema: "gymline.dataset-diff.v1";
  readonly versions: readonly [before: string, after: string];
  readonly settings: readonly ChangedValue[];
  /** Of rows, files by split, the selection, and the program. */
  readonly counts: readonly ChangedValue[];
  readonly statistics: readonly ChangedValue[];
  /** Trajectories in both that are the same in both. */
  readonly unchanged: number;
  readonly added: readonly Pick<DatasetInput, "id" | "split" | "reward">[];
  readonly removed: readonly Pick<DatasetInput, "id" | "split" | "reward">[];
  /** Trajectories in both with another document, score or split; each is in every list that it belongs to. */
  readonly revised: readonly ChangedInput[];
  readonly rescored: readonly ChangedInput[];
  readonly moved: readonly ChangedInput[];
}

/**
 * Compares two versions. Of each trajectory of the first one a few facts are held in memory, about 300 bytes.
 * @throws DatasetInputsError, ObjectNotFoundError
 */
export async function diffVersions(
  [before, after]: readonly [Manifest, Manifest],
  store: Pick<ObjectStore, "stream">,
): Promise<VersionDiff> {
  const known = new Map<string, Facts>();
  for await (const input of versionInputs(before, { store })) known.set(input.id, factsOf(input));
  const added: VersionDiff["added"][number][] = [];
  const [revised, rescored, moved]: [ChangedInput[], ChangedInput[], ChangedInput[]] = [[], [], []];
  let unchanged = 0;
  for await (const input of versionInputs(after, { store })) {
    const { id, split, reward } = input;
    const was = known.get(id);
    known.delete(id);
    if (was === undefined) {
      added.push({ id, split, reward });
      continue;
    }
    const change = { id, before: was, after: factsOf(input) };
    const kinds = [
      [revised, was.revision !== input.revision || was.content_id !== input.content_id],
      [rescored, was.scorer !== input.scorer || was.reward !== reward],
      [moved, was.split !== split],
    ] as const;
    for (const [list, isChanged] of kinds) if (isChanged) list.push(change);
    if (kinds.every(([, isChanged]) => !isChanged)) unchanged += 1;
  }
  return {
    schema: "gymline.dataset-diff.v1",
    versions: [nameOf(before), nameOf(after)],
    settings: changes(before.settings, after.settings),
    counts: changes(countsOf(before), countsOf(after)),
    statistics: changes(before.statistics, after.statistics),
    unchanged,
    added,
    removed: [...known].map(([id, { split, reward }]) => ({ id, split, reward })),
    revised,
    rescored,
    moved,
  };
}

type Facts = ChangedInput["before"];

function factsOf({ revision, content_id, scorer, reward, split }: DatasetInput): Facts {
  return { revision, content_id, scorer, reward, split };
}

function nameOf({ name, version }: Manifest): string {
  return `${name}/${version}`;
}

/** What people count: hashes differ wherever anything does. */
function countsOf({ format, rows, files, selection, made_by }: Manifest): unknown {
  const splits = Object.groupBy(files, ({ split }) => split);
  const of = Object.entries(splits).map(([split, some]) => [
    split,
    {
      files: some.length,
      rows: some.reduce((sum, file) => sum + file.rows, 0),
      bytes: some.reduce((sum, file) => sum + file.bytes, 0),
    },
  ]);
  return { format, rows, splits: Object.fromEntries(of), selection, made_by };
}

/** The leaves in which two JSON values differ, in the order of their paths. */
export function changes(before: unknown, after: unknown, path = ""): readonly ChangedValue[] {
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) =>
      changes(own(before, name), own(after, name), path === "" ? name : `${path}.${name}`),
    );
  }
  return isSame(before, after) ? [] : [{ path, before, after }];
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function own(tree: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(tree, name) ? tree[name] : undefined;
}

/** One of them is no tree, or they are trees of two kinds, which are never the same. */
function isSame(before: unknown, after: unknown): boolean {
  return !isTree(before) && !isTree(after) && Object.is(before, after);
}
