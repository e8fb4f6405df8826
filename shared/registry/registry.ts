import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { modelDecisionKey, modelFactsKey } from "../contracts/keys.ts";
import {
  type Decision,
  decisionSchema,
  type ModelChange,
  type ModelFacts,
  type ModelLine,
  type ModelState,
  type ModelVersion,
  modelFactsSchema,
} from "../contracts/model.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { readStored } from "../stages/stored-json.ts";
import { changeLine, modelLines, readLine, versionIn, withChange, withVersion } from "./model-line.ts";

export interface RegistryPorts {
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

/** A version of a model is not what a command needs it to be; the message says what to do. */
export class ModelStateError extends Error {
  override readonly name = "ModelStateError";
}

/** The registry has no such model or version. */
export class UnknownModelError extends Error {
  override readonly name = "UnknownModelError";
  constructor(what: string, known: readonly string[]) {
    const near = known.length === 0 ? "it has none yet (gymline models register)" : `it has ${listed(known)}`;
    super(`the registry has no ${what}: ${near}`);
  }
}

/** A candidate was compared with a version that is no longer the champion: what was decided does not hold any more. */
export class StaleDecisionError extends Error {
  override readonly name = "StaleDecisionError";
  readonly champion: string | null;
  constructor(
    { name, version }: ModelVersion,
    of: { readonly compared: string | null; readonly now: string | null },
  ) {
    super(
      `${name}/${version} was compared with ${of.compared ?? "no champion"}, but the champion is ${of.now ?? "none"} by now: evaluate it against that one`,
    );
    this.champion = of.now;
  }
}

/** Champions before this one that the record keeps: so far back a rollback goes. */
const MOST_BEFORE = 50;

/** What is done to a version, and who says so. */
export interface Word {
  /** `gate`, or who it is. */
  readonly by: string;
  readonly reason: string;
  /** Stored beside the version, with its numbers. */
  readonly decision?: Decision | undefined;
}

/**
 * Enters a version as a candidate. The same facts again change nothing.
 * @throws ModelStateError where the version is there with other facts
 */
export async function registerModel(
  facts: Omit<ModelFacts, "schema" | "registered_at">,
  ports: RegistryPorts,
): Promise<"registered" | "unchanged"> {
  const { name, version } = facts;
  const at = nowOf(ports.clock);
  const full = modelFactsSchema.parse({ ...facts, schema: "gymline.model.v1", registered_at: at });
  const key = modelFactsKey(facts);
  if ((await ports.store.putIfAbsent(key, bytesOf(full))) === "exists") {
    const there = await readStored(key, modelFactsSchema, ports.store);
    if (there === undefined || canonicalize({ ...there, registered_at: at }) !== canonicalize(full)) {
      throw new ModelStateError(
        `${name}/${version} is registered already, with other facts; register under another version`,
      );
    }
  }
  const changed = await changeLine(facts, ports.ledger, (line) => {
    if (versionIn(line, version) !== undefined) return undefined;
    const word = { by: "training", reason: "registered" };
    return withChange(line, { version, to: "candidate", at, word, decision: null });
  });
  return changed ? "registered" : "unchanged";
}

/**
 * Makes a version the champion; the one before is archived. `against`: the champion that it was compared with; undefined
 * where a person decides, whoever is champion.
 * @throws UnknownModelError, ModelStateError, StaleDecisionError
 */
export async function promoteModel(
  model: ModelVersion,
  {
    word,
    against,
    ports,
  }: { readonly word: Word; readonly against?: string | null; readonly ports: RegistryPorts },
): Promise<"promoted" | "unchanged"> {
  const { name, version } = model;
  if (word.decision !== undefined && word.decision.verdict !== "promote") {
    throw new ModelStateError(
      `${name}/${version}: the decision is to ${word.decision.verdict}, not to promote`,
    );
  }
  const decision = await storeDecision(model, { word, ports });
  const at = nowOf(ports.clock);
  const changed = await changeLine(model, ports.ledger, (line) => {
    const state = stateIn(line, version);
    if (line.champion === version) return undefined;
    if (against !== undefined && line.champion !== against) {
      throw new StaleDecisionError(model, { compared: against, now: line.champion });
    }
    if (against !== undefined && state !== "candidate") {
      throw new ModelStateError(`${name}/${version} is ${state}, and no candidate any more`);
    }
    return crowned(line, { version, at, word, decision });
  });
  return changed ? "promoted" : "unchanged";
}

/** The gate's, or a person's, no to a candidate. @throws UnknownModelError, ModelStateError */
export async function rejectModel(
  model: ModelVersion,
  { word, ports }: { readonly word: Word; readonly ports: RegistryPorts },
): Promise<"rejected" | "unchanged"> {
  const { name, version } = model;
  const decision = await storeDecision(model, { word, ports });
  const at = nowOf(ports.clock);
  const changed = await changeLine(model, ports.ledger, (line) => {
    const state = stateIn(line, version);
    if (state === "rejected") return undefined;
    if (state !== "candidate") {
      throw new ModelStateError(
        `${name}/${version} is ${state}: only a candidate is rejected${state === "champion" ? " (gymline models rollback takes a champion back)" : ""}`,
      );
    }
    const next = withChange(line, { version, to: "rejected", at, word, decision });
    return { ...next, challenges: line.challenges + 1 };
  });
  return changed ? "rejected" : "unchanged";
}

/**
 * Makes the champion before the champion again; the present one is archived.
 * @throws UnknownModelError, ModelStateError where there was none before
 */
export async function rollBackModel(
  name: string,
  { word, ports }: { readonly word: Word; readonly ports: RegistryPorts },
): Promise<{ readonly from: string; readonly to: string }> {
  const at = nowOf(ports.clock);
  let done = { from: "", to: "" };
  await changeLine({ name }, ports.ledger, (line) => {
    const { champion } = line;
    const to = line.before.at(-1);
    if (champion === null || to === undefined) {
      throw new ModelStateError(
        `${name} has no champion before ${champion ?? "the first"}: promote another version instead`,
      );
    }
    done = { from: champion, to };
    const archived = withChange(line, { version: champion, to: "archived", at, word, decision: null });
    const back = withChange(archived, { version: to, to: "champion", at, word, decision: null });
    return { ...back, champion: to, before: line.before.slice(0, -1), challenges: 0 };
  });
  return done;
}

/** Puts a version away that is neither used nor waited for. @throws UnknownModelError, ModelStateError */
export async function archiveModel(
  { name, version }: ModelVersion,
  { word, ports }: { readonly word: Word; readonly ports: RegistryPorts },
): Promise<"archived" | "unchanged"> {
  const at = nowOf(ports.clock);
  const changed = await changeLine({ name, version }, ports.ledger, (line) => {
    const state = stateIn(line, version);
    if (state === "archived") return undefined;
    if (state === "champion") {
      throw new ModelStateError(
        `${name}/${version} is the champion: promote another one, or roll back, first`,
      );
    }
    return withChange(line, { version, to: "archived", at, word, decision: null });
  });
  return changed ? "archived" : "unchanged";
}

/** A version with its state and the changes that led to it. */
export interface RegisteredModel {
  readonly facts: ModelFacts;
  readonly state: ModelState;
  readonly since: string;
  readonly changes: readonly ModelChange[];
}

/** @throws UnknownModelError, DamagedObjectError */
export async function showModel(
  model: ModelVersion,
  { store, ledger }: Pick<RegistryPorts, "store" | "ledger">,
): Promise<RegisteredModel> {
  const kept = await readLine(model.name, ledger);
  if (kept === undefined) throw await noModel(model.name, ledger);
  const line = await withVersion(kept, model.version, ledger);
  const found = versionIn(line, model.version);
  const facts = await readStored(modelFactsKey(model), modelFactsSchema, store);
  if (found === undefined || facts === undefined) throw noVersion(line, model.version);
  const changes = line.changes.filter(({ version }) => version === model.version);
  return { facts, state: found.state, since: found.since, changes };
}

/** @throws DamagedObjectError */
export async function readDecision(
  key: string,
  store: Pick<ObjectStore, "read">,
): Promise<Decision | undefined> {
  return readStored(key, decisionSchema, store);
}

/** The number of the next candidate among those that meet the champion: 1 for the first. */
export function challengeOf(line: ModelLine | undefined): number {
  return (line?.challenges ?? 0) + 1;
}

/** Stored before the state changes, under a hash of itself: once, however often. */
async function storeDecision(
  model: ModelVersion,
  { word, ports }: { readonly word: Word; readonly ports: RegistryPorts },
): Promise<string | null> {
  if (word.decision === undefined) return null;
  const text = canonicalize(word.decision) ?? "";
  const key = modelDecisionKey(model, createHash("sha256").update(text).digest("hex").slice(0, 16));
  await ports.store.putIfAbsent(key, Buffer.from(text));
  return key;
}

function crowned(
  line: ModelLine,
  change: Pick<ModelChange, "version" | "at" | "decision"> & { readonly word: Word },
): ModelLine {
  const { champion } = line;
  const word = { ...change.word, reason: `${change.version} took its place` };
  const before =
    champion === null
      ? line
      : withChange(line, { ...change, version: champion, to: "archived", word, decision: null });
  return {
    ...withChange(before, { ...change, to: "champion" }),
    champion: change.version,
    before: champion === null ? line.before : [...line.before, champion].slice(-MOST_BEFORE),
    challenges: 0,
  };
}

/** @throws UnknownModelError */
function stateIn(line: ModelLine, version: string): ModelState {
  const found = versionIn(line, version);
  if (found === undefined) throw noVersion(line, version);
  return found.state;
}

function noVersion({ name, versions }: ModelLine, version: string): UnknownModelError {
  return new UnknownModelError(`version ${version} of ${name}`, Object.keys(versions).toReversed());
}

async function noModel(name: string, ledger: Ledger): Promise<UnknownModelError> {
  const names: string[] = [];
  for await (const line of modelLines(ledger)) names.push(line.name);
  return new UnknownModelError(`model "${name}"`, names);
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;
}

function nowOf(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(`${canonicalize(value) ?? ""}\n`);
}
