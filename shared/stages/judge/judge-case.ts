import type { CatalogEntry } from "../../contracts/catalog-row.ts";
import { trajectoryKey } from "../../contracts/keys.ts";
import { getDomainProfile, isBuiltinDomain } from "../../domains/builtin.ts";
import { type GateDecision, worthJudging } from "../../judge/gate.ts";
import { judgeId } from "../../judge/judge-id.ts";
import { parseJudgeAnswer } from "../../judge/parse-answer.ts";
import { type JudgingPlan, type PlannedRequest, planJudging } from "../../judge/plan.ts";
import { ObjectNotFoundError } from "../../ports/object-store.ts";
import { rubricsOf } from "../../reward/rubrics.ts";
import { readDocument } from "../compute-tasks.ts";
import { profileFor } from "../score-trajectory.ts";
import { type CachedAnswer, readAnswers } from "./answer-cache.ts";
import { readJudgeState } from "./judge-state.ts";
import type { JudgeReadPorts, JudgeSettings } from "./ports.ts";

/** One trajectory with what is to be asked about it. */
export interface JudgeCase {
  readonly id: string;
  readonly revision: string;
  readonly plan: JudgingPlan;
}

/**
 * Why a trajectory is not judged. `gate`: not worth its price. `judged`: a judgement of this revision by this judge
 * stands. `nothing`: it has no agent steps, or no rubrics that a model judges. `superseded`: a longer log of its session
 * is there. `absent`: the store does not hold it, or it was forgotten.
 */
export type LeftOut = "gate" | "judged" | "nothing" | "superseded" | "absent";

export type Candidate = { readonly id: string; readonly gate: GateDecision["reason"] | null } & (
  | { readonly kind: "case"; readonly case: JudgeCase }
  | { readonly kind: "left-out"; readonly because: LeftOut }
);

export interface CaseOptions {
  /** Judge again where windows failed. */
  readonly retry?: boolean;
  /** Judge again what stands; what the cache answers costs nothing. */
  readonly always?: boolean;
}

/** Looks at one trajectory: whether it is to be judged, and by which questions. */
export async function candidateOf(
  id: string,
  ports: JudgeReadPorts,
  { retry = false, always = false }: CaseOptions = {},
): Promise<Candidate> {
  const { catalog, settings } = ports;
  const entry = await catalog.entry(id);
  if (entry === undefined) return { id, gate: null, kind: "left-out", because: "absent" };
  if (entry.supersededBy !== null) return { id, gate: null, kind: "left-out", because: "superseded" };
  const gate = worthJudging({ id, reward: entry.reward }, settings.config.gate);
  const leftOut = (because: LeftOut): Candidate => ({ id, gate: gate.reason, kind: "left-out", because });
  if (!gate.judge) return leftOut("gate");
  const stands = async (judge: string, revision: string): Promise<boolean> => {
    const done = always ? null : (await readJudgeState({ id, judge }, ports.store))?.done;
    return done?.revision === revision && !(retry && done.failures > 0);
  };
  // Without reading the document, which most of a store that was judged before comes down to.
  const expected = judgeOf(entry, settings);
  if (expected !== undefined && (await stands(expected, entry.revision))) return leftOut("judged");
  const planned = await planOf(id, ports);
  if (planned === undefined) return leftOut("absent");
  if (planned.plan.requests.length === 0) return leftOut("nothing");
  if (await stands(planned.plan.judge, planned.revision)) return leftOut("judged");
  return { id, gate: gate.reason, kind: "case", case: planned };
}

/** Id of the judge by the domain that the catalog says; undefined where it has no profile. */
function judgeOf({ domain }: CatalogEntry, { config, profile, rubrics }: JudgeSettings): string | undefined {
  const chosen = profile ?? (isBuiltinDomain(domain) ? getDomainProfile(domain) : undefined);
  if (chosen === undefined) return undefined;
  const judged = rubricsOf(chosen, rubrics).filter(({ evaluator }) => evaluator === "model");
  return judgeId(config, judged);
}

/** undefined: there is no such document. */
export async function planOf(
  id: string,
  { store, settings }: Pick<JudgeReadPorts, "store" | "settings">,
): Promise<JudgeCase | undefined> {
  try {
    const trajectory = readDocument(await store.read(trajectoryKey(id)));
    const rubrics = rubricsOf(profileFor(trajectory, settings.profile), settings.rubrics);
    const plan = planJudging({ trajectory, rubrics, config: settings.config });
    return { id, revision: trajectory.extra.gymline.provenance.revision, plan };
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

/** Answers asked for at the most where they cannot be read. */
const MOST_ANSWERS = 2;
/** Tries at the most in batches, where nothing else tries again. */
const MOST_TRIES = 4;

/**
 * The requests of a plan that still need an answer: nobody asked, the answer could not be read and was asked for once
 * only, or the last try failed. `following`: goes on with what a batch began, so failures count and are not tried for
 * ever; else a failure is tried anew, since its cause may be gone.
 */
export function openRequests(
  plan: JudgingPlan,
  answers: ReadonlyMap<string, CachedAnswer>,
  { following }: { readonly following: boolean },
): readonly PlannedRequest[] {
  return plan.requests.filter((planned) => {
    const entry = answers.get(planned.hash);
    if (entry === undefined) return true;
    if (entry.answer === null) {
      if (!following) return true;
      return entry.failure?.permanent !== true && entry.tries.length < MOST_TRIES;
    }
    const answered = entry.tries.filter(({ usage }) => usage !== null).length;
    if (answered >= MOST_ANSWERS || entry.tries.length >= MOST_TRIES) return false;
    return !isReadable(plan, planned, entry.answer);
  });
}

/** A refusal and a cut answer stay what they are; asking again helps only where the form was wrong. */
function isReadable(
  plan: JudgingPlan,
  planned: PlannedRequest,
  { text, stop }: NonNullable<CachedAnswer["answer"]>,
): boolean {
  const evidence = planned.request.messages.map(({ content }) => content).join("\n");
  const { rubrics } = plan;
  const { kind } = parseJudgeAnswer(text, { rubrics, indices: planned.indices, stop, evidence });
  return kind !== "unreadable" && kind !== "stopped";
}

export function answersOf(
  plan: JudgingPlan,
  ports: Pick<JudgeReadPorts, "store">,
): Promise<Map<string, CachedAnswer>> {
  return readAnswers(
    plan.requests.map(({ hash }) => hash),
    ports.store,
  );
}
