import { z } from "zod";
import type { CatalogEntry, CatalogRow, ScoreRow, SourcePlace } from "../../contracts/catalog-row.ts";
import { CATALOG_INDEXES } from "../../contracts/catalog-table.ts";
import type { ObjectState } from "../../ports/catalog.ts";
import type { Item } from "./attributes.ts";
import {
  type ItemKey,
  idGroup,
  keyOf,
  momentText,
  objectGroup,
  objectOrder,
  objectPlaceKey,
  placeKey,
  rewardShard,
  rowKey,
  stateKey,
  taskGroup,
  unscoredShard,
} from "./catalog-keys.ts";
import { rewardOrder } from "./reward-order.ts";
import { ABSENT, having, type Write } from "./writes.ts";

/** An item of the catalog's table is not what this program writes. */
export class CatalogItemError extends Error {
  override readonly name = "CatalogItemError";
  constructor(item: Item, cause: unknown) {
    const { pk, sk } = keyOf(item);
    const remedy =
      "it was changed by another program or a later version: update gymline, or restore the table";
    super(`the catalog item ${pk} ${sk} cannot be read; ${remedy}`, { cause });
  }
}

/** @throws CatalogItemError */
export function read<T>(schema: z.ZodType<T>, item: Item): T {
  const result = schema.safeParse(item);
  if (!result.success) throw new CatalogItemError(item, result.error);
  return result.data;
}

const text = z.string();
const integer = z.number();
const maybeText = z.string().nullable();
/** Numbers that need not be integers are texts in the table: it holds no number as small or large as a double. */
const real = z.string().transform(Number);
const maybeReal = real.nullable();
const realText = (value: number | null) => (value === null ? null : String(value));

const factsSchema = z.object({
  id: text,
  contentId: text,
  revision: text,
  taskKey: text,
  taskId: maybeText,
  repo: maybeText,
  domain: text,
  format: text,
  agent: text,
  model: maybeText,
  success: z.boolean().nullable(),
  outcomeScore: maybeReal,
  steps: integer,
  agentSteps: integer,
  calls: integer,
  redactions: integer,
  warnings: integer,
  tokens: z.enum(["token_exact", "text_only"]),
  sourceBytes: integer,
  startedAt: maybeText,
});

const scoreSchema = z.object({
  scorer: text,
  reward: maybeReal,
  process: maybeReal,
  outcome: maybeReal,
  efficiency: maybeReal,
});

const texts = z.set(z.string()).optional();

const rowSchema = z.object({
  facts: factsSchema,
  score: scoreSchema.optional(),
  feedback: real.optional(),
  exportCount: integer,
  createdAt: integer,
  supersededBy: text.optional(),
  /** How many of its places are in each project. */
  projects: z
    .record(z.string(), z.number())
    .transform((named) => new Map(Object.entries(named).map(([name, places]) => [name.slice(1), places]))),
  /** Projects that its first score was counted in; "" stands for the count of all. */
  counted: texts,
  session: z.object({ key: text, group: text }).optional(),
  /** Shorter logs that it has still to supersede: more than one transaction holds. */
  pending: texts,
  version: integer,
});

/** A stored trajectory. Each change raises `version`, so what was worked out from one version applies to no other. */
export interface StoredRow {
  readonly facts: CatalogRow;
  readonly score?: ScoreRow | undefined;
  /** Mean of what sources say. */
  readonly feedback?: number | undefined;
  readonly exportCount: number;
  readonly createdAt: number;
  readonly supersededBy?: string | undefined;
  readonly projects: ReadonlyMap<string, number>;
  readonly counted?: ReadonlySet<string> | undefined;
  readonly session?: { readonly key: string; readonly group: string } | undefined;
  readonly pending?: ReadonlySet<string> | undefined;
  readonly version: number;
}

export function rowOf(item: Item): StoredRow {
  return read<StoredRow>(rowSchema, item);
}

export function maybeRowOf(item: Item | undefined): StoredRow | undefined {
  return item === undefined ? undefined : rowOf(item);
}

export function entryOf({ facts, score, ...row }: StoredRow): CatalogEntry {
  return {
    ...facts,
    scorer: score?.scorer ?? null,
    reward: score?.reward ?? null,
    process: score?.process ?? null,
    outcome: score?.outcome ?? null,
    efficiency: score?.efficiency ?? null,
    feedback: row.feedback ?? null,
    exportCount: row.exportCount,
    createdAt: row.createdAt,
    supersededBy: row.supersededBy ?? null,
  };
}

/** Writes a row in place of the version it was worked out from; version 0 stands for none. */
export function putRow(row: StoredRow): Write {
  const { version, ...rest } = row;
  const when = version === 0 ? ABSENT : having({ version });
  return { kind: "put", item: rowItem({ ...rest, version: version + 1 }), when };
}

function rowItem(row: StoredRow): Item & ItemKey {
  const { facts, score, feedback, supersededBy, counted, session, pending } = row;
  const { byReward, byTask, byGroup, unscored } = CATALOG_INDEXES;
  const { id } = facts;
  const waits = {
    [unscored.partitionKey]: unscoredShard(id),
    [unscored.sortKey]: `${momentText(row.createdAt)}#${id}`,
  };
  return {
    ...rowKey(id),
    facts: { ...facts, outcomeScore: realText(facts.outcomeScore) },
    exportCount: row.exportCount,
    createdAt: row.createdAt,
    projects: Object.fromEntries([...row.projects].map(([name, places]) => [projectField(name), places])),
    version: row.version,
    ...(feedback === undefined ? {} : { feedback: String(feedback) }),
    ...(supersededBy === undefined ? {} : { supersededBy }),
    ...(session === undefined ? {} : { session }),
    // DynamoDB holds no empty sets.
    ...(counted === undefined || counted.size === 0 ? {} : { counted }),
    ...(pending === undefined || pending.size === 0 ? {} : { pending }),
    ...(score === undefined ? waits : { score: scoreItem(score) }),
    [byReward.partitionKey]: rewardShard(id),
    [byReward.sortKey]: rewardOrder(score?.reward ?? null, id),
    [byTask.partitionKey]: taskGroup(facts.taskKey),
    [byGroup.partitionKey]: idGroup(id),
    [byGroup.sortKey]: id,
  };
}

/** The name of a project's field in `projects`: a project may be called `__proto__`. */
export function projectField(project: string): string {
  return `=${project}`;
}

function scoreItem(score: ScoreRow): Item {
  return {
    scorer: score.scorer,
    reward: realText(score.reward),
    process: realText(score.process),
    outcome: realText(score.outcome),
    efficiency: realText(score.efficiency),
  };
}

const placeSchema = z.object({
  key: text,
  project: text,
  entry: maybeText,
  index: integer,
  line: integer.nullable(),
  jsonPath: maybeText,
  ordinal: integer,
});

export function placeOf(item: Item): SourcePlace {
  return read<SourcePlace>(placeSchema, item);
}

export function placeItem(id: string, place: SourcePlace): Item & ItemKey {
  const { key, project, entry, index, line, jsonPath, ordinal } = place;
  return { ...placeKey(id, place), key, project, entry, index, line, jsonPath, ordinal };
}

const objectPlaceSchema = z.object({
  id: text,
  generation: text,
  key: text,
  project: text,
  entry: maybeText,
  index: integer,
  ordinal: integer,
});

/** The copy of a place that stands with its object: of the places there, each is held by one trajectory. */
export type ObjectPlace = z.infer<typeof objectPlaceSchema>;

export function objectPlaceOf(item: Item): ObjectPlace {
  return read<ObjectPlace>(objectPlaceSchema, item);
}

export function objectPlaceItem(
  place: SourcePlace,
  holder: { readonly id: string; readonly generation: string },
): Item & ItemKey {
  const { key, project, entry, index, ordinal } = place;
  return { ...objectPlaceKey(place), ...holder, key, project, entry, index, ordinal };
}

const stateSchema = z.object({
  key: text,
  project: text,
  fingerprint: text,
  revision: text,
  records: integer,
  trajectories: integer,
  rejected: integer,
});

export function stateOf(item: Item): ObjectState {
  return read<ObjectState>(stateSchema, item);
}

export function stateItem(state: ObjectState): Item & ItemKey {
  const { byGroup } = CATALOG_INDEXES;
  return {
    ...stateKey(state.key),
    ...state,
    [byGroup.partitionKey]: objectGroup(state.key),
    [byGroup.sortKey]: objectOrder(state.key),
  };
}

const tombSchema = z.object({ root: text });

/** With which trajectory it was forgotten: itself, or a longer log of its session. */
export function rootOf(item: Item): string {
  return read(tombSchema, item).root;
}
