import { createHash } from "node:crypto";
import type { CatalogRow, ScoreRow, SourcePlace } from "../../shared/contracts/catalog-row.ts";
import type { NewTrajectory, ObjectState } from "../../shared/ports/catalog.ts";

/** A full id from a short name. */
export function idOf(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

export function makeRow(name: string, more: Partial<CatalogRow> = {}): CatalogRow {
  return {
    id: idOf(name),
    contentId: idOf(`content of ${name}`),
    revision: "rev1",
    taskKey: "task",
    taskId: "task",
    repo: null,
    domain: "coding",
    format: "atif",
    agent: "agent",
    model: "model",
    success: true,
    outcomeScore: null,
    steps: 4,
    agentSteps: 2,
    calls: 1,
    redactions: 0,
    warnings: 0,
    tokens: "text_only",
    sourceBytes: 100,
    startedAt: null,
    ...more,
  };
}

export function makePlace(more: Partial<SourcePlace> = {}): SourcePlace {
  return {
    key: "team/log.jsonl",
    project: "team",
    entry: null,
    index: 0,
    line: 1,
    jsonPath: null,
    ordinal: 0,
    ...more,
  };
}

/** `actions` stand for what was done and seen: one letter each, hashed with all before it. */
export function makeSession(key: string, actions: string): NonNullable<NewTrajectory["session"]> {
  const prefixes = [...actions].map((_, index) =>
    createHash("sha256")
      .update(actions.slice(0, index + 1))
      .digest()
      .subarray(0, 8),
  );
  return { key, prefixes: Buffer.concat(prefixes) };
}

export function makeNew(
  name: string,
  more: {
    readonly row?: Partial<CatalogRow>;
    readonly place?: Partial<SourcePlace>;
    readonly generation?: string;
    readonly session?: NewTrajectory["session"];
    readonly blobs?: readonly string[];
  } = {},
): NewTrajectory {
  const { row, place, generation = "g1", session, blobs = [] } = more;
  return {
    row: makeRow(name, row),
    place: makePlace({ key: `team/${name}.json`, ...place }),
    generation,
    ...(session === undefined ? {} : { session }),
    blobs,
  };
}

export function makeObject(key: string, more: Partial<ObjectState> = {}): ObjectState {
  return {
    key,
    project: "team",
    fingerprint: "g1",
    revision: "rev1",
    records: 1,
    trajectories: 1,
    rejected: 0,
    ...more,
  };
}

export function makeScore(more: Partial<ScoreRow> = {}): ScoreRow {
  return { scorer: "scorer", reward: 0.5, process: 0.5, outcome: null, efficiency: null, ...more };
}
