import type { SourcePlace } from "../contracts/catalog-row.ts";
import type { ComputedTrajectory } from "../ports/compute.ts";
import type { SourceRecord } from "../reading/source.ts";

/** The session of a trajectory, as the catalog knows it; undefined where the source is none. */
export function sessionOf(
  computed: ComputedTrajectory,
  place: { readonly project: string; readonly record: SourceRecord },
): { readonly key: string; readonly prefixes: Uint8Array } | undefined {
  const { session, row } = computed;
  if (session === undefined) return undefined;
  const { project, record } = place;
  const name = session.name ?? `file:${record.source}${record.entry === undefined ? "" : `!${record.entry}`}`;
  return { key: `${project}/${row.format}/${name}`, prefixes: session.prefixes };
}

/** Where a trajectory stands in the drop. */
export function placeOf(
  record: SourceRecord,
  options: { readonly project: string; readonly ordinal: number },
): SourcePlace {
  return {
    key: record.source,
    project: options.project,
    entry: record.entry ?? null,
    index: record.index,
    line: record.line ?? null,
    jsonPath: record.jsonPath ?? null,
    ordinal: options.ordinal,
  };
}
