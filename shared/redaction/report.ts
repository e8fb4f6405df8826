import type { RedactionReport } from "../trajectory/gymline-extra.ts";

/** Entries kept; the rest is only counted. */
const MAX_ENTRIES = 200;

export interface ReportBuilder {
  readonly add: (path: string, type: string) => void;
  /** The report, added to one of an earlier redaction. */
  readonly finish: (earlier: RedactionReport) => RedactionReport;
}

/** Collects where something was replaced and of which type, never what. */
export const createRedactionReport = (): ReportBuilder => {
  const entries = new Map<string, { readonly path: string; readonly type: string; count: number }>();
  const byType = new Map<string, number>();
  let total = 0;
  let more = 0;
  const increase = (type: string, by: number): void => {
    byType.set(type, (byType.get(type) ?? 0) + by);
  };
  const add = (path: string, type: string): void => {
    total += 1;
    increase(type, 1);
    const key = `${type} ${path}`;
    const known = entries.get(key);
    if (known) known.count += 1;
    else if (entries.size < MAX_ENTRIES) entries.set(key, { path, type, count: 1 });
    else more += 1;
  };
  const finish = (earlier: RedactionReport): RedactionReport => {
    for (const [type, count] of Object.entries(earlier.by_type)) increase(type, count);
    const all = [...earlier.entries, ...entries.values()];
    const left = (earlier.more ?? 0) + more + Math.max(0, all.length - MAX_ENTRIES);
    return {
      total: earlier.total + total,
      by_type: Object.fromEntries([...byType].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      entries: all.slice(0, MAX_ENTRIES),
      ...(left > 0 ? { more: left } : {}),
    };
  };
  return { add, finish };
};
