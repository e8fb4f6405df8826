import { TrajectoryBuilder } from "../builder.ts";
import { contentText } from "../content.ts";
import type { Draft } from "../draft.ts";
import type { Detection, Format, FormatInput } from "../format.ts";
import { isoTimestamp } from "../timestamp.ts";
import {
  type CustomMapping,
  type MappingCondition,
  type MappingValue,
  mappingHash,
} from "./custom-mapping.ts";
import { readAll, readFirst, type Segment, shownPath } from "./custom-path.ts";
import { leftovers, placesOf } from "./custom-rest.ts";
import { compiled, type ElementReader, elementReader } from "./custom-steps.ts";
import { verdict } from "./labels.ts";
import { count, field, filled, label, list, nearness, number, records, setOwn } from "./read.ts";

/** Events that are looked at to know a list of them by. */
const HEAD = 3;

/** A format of the user's own, made of a mapping file: see docs/CUSTOM-FORMAT.md. */
export function createCustomFormat(mapping: CustomMapping): Format {
  const prepared = prepare(mapping);
  return {
    name: `custom:${mapping.name}`,
    description: mapping.description ?? `records that the mapping "${mapping.name}" describes`,
    version: `1+${mappingHash(mapping).slice(0, 12)}`,
    detect: (value) => detect(value, prepared),
    ...(mapping.parts ? { isPart: (value: unknown) => matches(value, prepared.match) } : {}),
    convert: (input) => [convert(input, prepared)],
  };
}

type Rule = MappingCondition & { readonly segments: readonly Segment[] };

interface Prepared {
  readonly mapping: CustomMapping;
  readonly match: readonly Rule[];
  readonly where: readonly Rule[];
  readonly elements: readonly Segment[];
  readonly read: ElementReader;
  /** All paths from the record: what none of them reads is reported. */
  readonly paths: readonly (readonly Segment[])[];
}

function prepare(mapping: CustomMapping): Prepared {
  const texts: string[] = [mapping.content.path];
  const collect = (value: unknown): void => {
    if (typeof value === "string") texts.push(value);
    else if (typeof field(value, "path") === "string") texts.push(String(field(value, "path")));
  };
  for (const value of [mapping.session, mapping.domain, mapping.started_at]) collect(value);
  for (const group of [mapping.opening, mapping.task, mapping.outcome, mapping.agent]) {
    for (const value of Object.values(group ?? {})) collect(value);
  }
  for (const { path, exists } of mapping.match) if (exists === undefined && !mapping.parts) texts.push(path);
  return {
    mapping,
    match: mapping.match.map(rule),
    where: (mapping.content.where ?? []).map(rule),
    elements: compiled(mapping.content.path) ?? [],
    read: elementReader(mapping),
    paths: texts.map((path) => compiled(path) ?? []),
  };
}

function rule(condition: MappingCondition): Rule {
  return { ...condition, segments: compiled(condition.path) ?? [] };
}

function matches(value: unknown, rules: readonly Rule[]): boolean {
  return rules.every((condition) => holds(value, condition));
}

function holds(value: unknown, condition: Rule): boolean {
  const found = readAll(value, condition.segments);
  if (condition.exists !== undefined) return found.length > 0 === condition.exists;
  const allowed: readonly unknown[] = condition.one_of ?? [condition.equals];
  return found.some((item) => allowed.includes(item));
}

function detect(value: unknown, prepared: Prepared): Detection {
  const { match, mapping } = prepared;
  const events = mapping.parts ? (list(value) ?? []).slice(0, HEAD) : [value];
  if (events.length > 0 && events.every((event) => matches(event, match))) {
    return { match: true, variant: mapping.content.style };
  }
  return nearness(match.map((condition) => [holds(events[0], condition), shownPath(condition.path)]));
}

function convert(input: FormatInput, prepared: Prepared): Draft {
  const { mapping } = prepared;
  const { value } = input;
  const builder = new TrajectoryBuilder();
  const system = textAt(value, mapping.opening?.system);
  const user = textAt(value, mapping.opening?.user);
  if (system !== undefined) builder.system({ content: system });
  if (user !== undefined) builder.user({ content: user });
  for (const element of readAll(value, prepared.elements)) {
    if (matches(element, prepared.where)) prepared.read(element, builder);
    else
      builder.drop(shownPath(mapping.content.path), "an element that the mapping's content.where leaves out");
  }
  readFacts(value, mapping, builder);
  readOutcome(value, mapping, builder);
  const { kept, dropped } = leftovers(value, placesOf(prepared.paths));
  for (const [key, item] of Object.entries(kept)) setOwn(builder.metadata, key, item);
  for (const path of dropped) builder.drop(path, "large or in a list, and the mapping does not read it");
  const draft = builder.build(input.variant);
  const first = draft.document.steps.find((step) => step.source === "user");
  const description = filled(contentText(first?.message));
  if (draft.task.description !== undefined || description === undefined) return draft;
  return { ...draft, task: { ...draft.task, description } };
}

function textAt(value: unknown, place: MappingValue | undefined): string | undefined {
  if (place === undefined) return undefined;
  return typeof place === "string" ? label(readFirst(value, compiled(place) ?? [])) : place.value;
}

function readFacts(value: unknown, mapping: CustomMapping, builder: TrajectoryBuilder): void {
  for (const key of ["id", "description", "repo", "base_commit", "test_command"] as const) {
    const found = textAt(value, mapping.task?.[key]);
    if (found !== undefined) builder.task[key] = found;
  }
  builder.agentInfo.name = textAt(value, mapping.agent?.name) ?? builder.agentInfo.name;
  builder.agentInfo.version = textAt(value, mapping.agent?.version) ?? builder.agentInfo.version;
  const model = textAt(value, mapping.agent?.model);
  if (model !== undefined) builder.agentInfo.model_name = model;
  const tools = mapping.agent?.tools;
  const definitions = tools === undefined ? [] : records(readFirst(value, compiled(tools) ?? []));
  if (definitions.length > 0) builder.agentInfo.tool_definitions = definitions.map((tool) => ({ ...tool }));
  builder.session = textAt(value, mapping.session);
  builder.domain = textAt(value, mapping.domain);
  if (mapping.started_at !== undefined) readStart(value, mapping.started_at, builder);
}

function readStart(value: unknown, place: MappingValue, builder: TrajectoryBuilder): void {
  const given = typeof place === "string" ? readFirst(value, compiled(place) ?? []) : place.value;
  const started = isoTimestamp(given);
  if (started !== undefined) builder.startedAt = started;
  else if (given !== undefined) builder.drop("started_at", "not a point in time that ATIF can hold");
}

function readOutcome(value: unknown, mapping: CustomMapping, builder: TrajectoryBuilder): void {
  const paths = mapping.outcome ?? {};
  const { outcome } = builder;
  const at = (path: string | undefined): unknown =>
    path === undefined ? undefined : readFirst(value, compiled(path) ?? []);
  if (paths.success !== undefined) {
    const success = judged(at(paths.success.path), paths.success);
    if (success !== null) {
      outcome.success = success;
      outcome.label_source = paths.success.path;
    }
  }
  const score = number(at(paths.score));
  if (score !== undefined && score >= 0 && score <= 1) outcome.score = score;
  else if (score !== undefined) {
    outcome.metadata = { score };
    builder.note("a score outside of 0 to 1 is on a scale of its own: it stands in the outcome's metadata");
  }
  for (const key of ["exit_status", "feedback"] as const) {
    const found = label(at(paths[key]));
    if (found !== undefined) outcome[key] = found;
  }
  for (const key of ["tests_passed", "tests_failed", "tests_total"] as const) {
    const found = count(at(paths[key]));
    if (found !== undefined) outcome[key] = found;
  }
}

type SuccessRule = NonNullable<NonNullable<CustomMapping["outcome"]>["success"]>;

function judged(value: unknown, lists: SuccessRule): boolean | null {
  if (value === undefined) return null;
  const isTrue = lists.true?.some((item) => item === value);
  const isFalse = lists.false?.some((item) => item === value);
  if (isTrue === undefined && isFalse === undefined) return verdict(value) ?? null;
  if (isTrue === true || (isTrue === undefined && isFalse === false)) return true;
  if (isFalse === true || (isFalse === undefined && isTrue === false)) return false;
  return null;
}
