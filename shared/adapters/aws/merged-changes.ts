import { type ItemKey, keyOf, nameOf } from "./catalog-keys.ts";
import { MOST_WRITES, type Write } from "./writes.ts";

/** Changes that go into one transaction. */
export interface MergedChanges {
  /** Those it was made of, each as it was given. */
  readonly members: readonly (readonly Write[])[];
  readonly writes: readonly Write[];
}

interface Open {
  readonly members: (readonly Write[])[];
  readonly items: Set<string>;
  readonly writes: Write[];
  /** More in each project, all in one shard: few items, and few that other writers are at. */
  readonly counts: Map<string, number>;
  readonly shard: number;
}

/**
 * Puts changes that touch no item twice into as few transactions as hold them. What they count is added up, since it
 * does not matter in which shard a counter rises.
 */
export function mergedChanges(lists: readonly (readonly Write[])[]): readonly MergedChanges[] {
  const open: Open[] = [];
  for (const list of lists) {
    const counts = list.filter((write) => write.kind === "count");
    const writes = list.filter((write) => write.kind !== "count");
    const names = writes.map((write) => nameOf(itemOf(write)));
    const fits = ({ items, writes: others, counts: counted }: Open): boolean => {
      const projects = new Set([...counted.keys(), ...counts.map(({ project }) => project)]);
      return (
        others.length + writes.length + projects.size <= MOST_WRITES && !names.some((name) => items.has(name))
      );
    };
    let found = open.find(fits);
    if (found === undefined) {
      const shard = counts[0]?.shard ?? 0;
      found = { members: [], items: new Set(), writes: [], counts: new Map(), shard };
      open.push(found);
    }
    found.members.push(list);
    found.writes.push(...writes);
    for (const name of names) found.items.add(name);
    for (const { project, more } of counts) {
      found.counts.set(project, (found.counts.get(project) ?? 0) + more);
    }
  }
  return open.map(({ members, writes, counts, shard }) => ({
    members,
    writes:
      members.length === 1
        ? (members[0] ?? [])
        : [
            ...writes,
            ...[...counts].map(([project, more]) => ({ kind: "count", project, shard, more }) as const),
          ],
  }));
}

function itemOf(write: Exclude<Write, { readonly kind: "count" }>): ItemKey {
  return write.kind === "put" ? keyOf(write.item) : write.key;
}
