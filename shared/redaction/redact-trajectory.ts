import type { Fidelity, RedactionReport } from "../trajectory/gymline-extra.ts";
import type { AtifTrajectory, Trajectory } from "../trajectory/schema.ts";
import { place, type Rewriter, reservePlaceholders, rewriteStrings } from "./redact-value.ts";
import type { Redactor } from "./redactor.ts";
import { createRedactionReport } from "./report.ts";
import { dropSignatures, isObject, signatureHoldsSecret } from "./signatures.ts";
import { dropTokenFields } from "./token-fields.ts";

type Json = Readonly<Record<string, unknown>>;

/** Our own facts, which hold hashes and versions only. */
const ownFields = new Set(["schema", "id", "content_id", "id_version", "content_id_version", "redaction"]);

/** Counts what was left out, by place. */
type Drops = Map<string, { readonly reason: string; count: number }>;

const drop = (drops: Drops, path: string, reason: string): void => {
  const known = drops.get(path);
  if (known) known.count += 1;
  else drops.set(path, { reason, count: 1 });
};

/** Parts of a step that the model wrote in it; the rest is bookkeeping or what came back. */
const modelFields = ["message", "reasoning_content", "tool_calls", "extra"] as const;

const differs = (fields: readonly string[], before: Json, after: Json): boolean =>
  fields.some((field) => before[field] !== after[field]);

const TOKENS = "tokens of a text that was redacted";
const SIGNED = "signature over a text that was redacted, or holding a secret";

/** Most steps have no metrics, and no `extra` of their own nor of a call or result. */
const mayHoldStale = ({ metrics, extra, tool_calls: calls, observation }: Json): boolean => {
  const results = isObject(observation) ? observation["results"] : observation;
  return (
    (metrics ?? extra ?? undefined) !== undefined ||
    mayHoldExtras(calls) ||
    mayHoldExtras(results) ||
    (results === undefined && observation !== undefined)
  );
};

const mayHoldExtras = (items: unknown): boolean =>
  items !== undefined &&
  !(Array.isArray(items) && items.every((item) => isObject(item) && item["extra"] === undefined));

/** Takes token ids, log-probabilities and signatures that no longer fit out of a trajectory's steps. */
const dropStale = (input: {
  readonly before: Json;
  readonly after: Json;
  readonly redactor: Redactor;
  readonly drops: Drops;
}): Json => {
  const { before, after, redactor, drops } = input;
  const stepsBefore = Array.isArray(before["steps"]) ? before["steps"] : [];
  const stepsAfter = Array.isArray(after["steps"]) ? after["steps"] : [];
  let promptTouched = before["agent"] !== after["agent"];
  const steps = stepsAfter.map((step: unknown, index): unknown => {
    const old: unknown = stepsBefore[index];
    if (!isObject(step) || !isObject(old)) return step;
    const written = differs(modelFields, old, step) || old["metrics"] !== step["metrics"];
    const seen = old["observation"] !== step["observation"];
    if (!mayHoldStale(step)) {
      promptTouched ||= written || seen;
      return step;
    }
    const { metrics, extra, tool_calls: calls, observation } = step;
    const parts: Record<string, unknown> = { metrics, extra, tool_calls: calls, observation };
    for (const [name, part] of Object.entries(parts)) {
      if (part === undefined || part === null) continue;
      const isText = name === "tool_calls" || name === "observation";
      const own = written || (name === "observation" && seen);
      const onToken = (key: string): void => drop(drops, `steps[*].${name}.${key}`, TOKENS);
      const untold = (node: unknown): unknown =>
        own || promptTouched ? dropTokenFields({ node, promptOnly: !own, onDrop: onToken }) : node;
      const onDrop = (key: string): void => drop(drops, `steps[*].${name}.${key}`, SIGNED);
      const pick = (value: string): boolean => written || signatureHoldsSecret(value, redactor);
      const unsigned = (node: unknown): unknown => dropSignatures({ node, drop: pick, onDrop });
      const next = isText ? part : untold(part);
      parts[name] =
        name === "metrics"
          ? next
          : mapExtras({ node: next, name, change: (node) => unsigned(isText ? untold(node) : node) });
    }
    promptTouched ||= written || seen;
    const changed = Object.entries(parts).some(([name, part]) => part !== step[name]);
    if (!changed) return step;
    return {
      ...step,
      ...Object.fromEntries(Object.entries(parts).filter(([name]) => Object.hasOwn(step, name))),
    };
  });
  const same = steps.every((step, index) => step === stepsAfter[index]);
  const cleaned = same ? after : { ...after, steps };
  return before === after ? cleaned : dropTokensOutside(cleaned, drops);
};

/** Tokens may also stand in what a source says about the whole run, such as a list of its model calls. */
const dropTokensOutside = (document: Json, drops: Drops): Json => {
  const { agent, final_metrics: totals, extra } = document;
  const agentExtra = isObject(agent) ? agent["extra"] : undefined;
  const parts = { "agent.extra": agentExtra, final_metrics: totals, extra };
  const next = Object.entries(parts).map(([name, node]) => {
    const onDrop = (key: string): void => drop(drops, `${name}.*.${key}`, TOKENS);
    return [name, node === undefined ? node : dropTokenFields({ node, promptOnly: false, onDrop })] as const;
  });
  const changed = new Map(next.filter(([name, node]) => node !== parts[name as keyof typeof parts]));
  if (changed.size === 0) return document;
  return {
    ...document,
    ...(changed.has("agent.extra") && isObject(agent)
      ? { agent: { ...agent, extra: changed.get("agent.extra") } }
      : {}),
    ...(changed.has("final_metrics") ? { final_metrics: changed.get("final_metrics") } : {}),
    ...(changed.has("extra") ? { extra: changed.get("extra") } : {}),
  };
};

/** Signatures stand in `extra`s only: in a call's arguments the same key is the agent's own data. */
const mapExtras = (input: {
  readonly node: unknown;
  readonly name: string;
  readonly change: (node: unknown) => unknown;
}): unknown => {
  const { node, name, change } = input;
  if (name === "extra") return change(node);
  if (Array.isArray(node)) {
    const items = node.map((item: unknown) => mapExtras({ node: item, name: "", change }));
    return items.every((item, index) => item === node[index]) ? node : items;
  }
  if (!isObject(node)) return node;
  const results = name === "observation" ? node["results"] : undefined;
  if (results !== undefined) {
    const next = mapExtras({ node: results, name: "", change });
    return next === results ? node : { ...node, results: next };
  }
  if (!isObject(node["extra"])) return node;
  const next = change(node["extra"]);
  return next === node["extra"] ? node : { ...node, extra: next };
};

const dropStaleDeep = (input: {
  readonly before: Json;
  readonly after: Json;
  readonly redactor: Redactor;
  readonly drops: Drops;
}): Json => {
  const own = dropStale(input);
  const before = input.before["subagent_trajectories"];
  const after = own["subagent_trajectories"];
  if (!Array.isArray(before) || !Array.isArray(after)) return own;
  const subs = after.map((sub: unknown, index): unknown => {
    const old: unknown = before[index];
    return isObject(sub) && isObject(old) ? dropStaleDeep({ ...input, before: old, after: sub }) : sub;
  });
  return subs.every((sub, index) => sub === after[index]) ? own : { ...own, subagent_trajectories: subs };
};

const withDrops = (fidelity: Fidelity, drops: Drops): Fidelity => {
  if (drops.size === 0) return fidelity;
  const tokens = [...drops.values()].some(({ reason }) => reason === TOKENS) ? "text_only" : fidelity.tokens;
  const dropped = [...drops].map(([path, { reason, count }]) => ({ path, reason, count }));
  return { ...fidelity, tokens, dropped: [...fidelity.dropped, ...dropped] };
};

/**
 * Redacts every text of a trajectory and its embedded ones with one numbering, so that a secret has the
 * same placeholder everywhere. A distinctive secret learnt in one place is replaced in all others too.
 * Token ids, log-probabilities and signatures over changed text are dropped and noted under `fidelity`.
 *
 * Returns a new document (sharing what did not change), the report it also holds, and the texts in which the redactor
 * finds nothing; redacting the result again changes nothing. Throws RedactionError, and then nothing of the record
 * may be stored.
 */
export const redactTrajectory = (input: {
  readonly trajectory: Trajectory;
  readonly redactor: Redactor;
}): {
  readonly trajectory: Trajectory;
  readonly report: RedactionReport;
  readonly clean: ReadonlySet<string>;
} => {
  const { trajectory, redactor } = input;
  const own = trajectory.extra.gymline;
  const scanned = withoutOwnFields(trajectory);
  const session = redactor.session();
  const report = createRedactionReport();
  let reserved = false;
  // Most documents hold nothing to redact: only the first finding makes it worth looking for taken placeholders.
  const reserve = (): void => {
    if (!reserved) reservePlaceholders(scanned, session);
    reserved = true;
  };
  // Roles, tool names, ids and what tools say come many times in one document.
  const clean = new Set<string>();
  const first: Rewriter = {
    text: (text, at) => {
      if (clean.has(text)) return text;
      if (redactor.scan(text).length === 0) {
        clean.add(text);
        return text;
      }
      reserve();
      return session.redact(text, (type) => report.add(stepPath(at.path), type));
    },
    whole: (value, at) => {
      reserve();
      const [only] = redactor.scan(value);
      const type =
        only !== undefined && only.start === 0 && only.end === value.length ? only.type : "CREDENTIAL";
      report.add(stepPath(at.path), type);
      return session.replace(type, value);
    },
  };
  let redacted = rewriteDocument(scanned, first);
  if (session.hasLearnt()) {
    const text: Rewriter["text"] = (value, at) =>
      session.redactLearnt(value, (type) => report.add(stepPath(at.path), type));
    redacted = rewriteDocument(redacted, { text, whole: text });
  }
  const drops: Drops = new Map();
  const cleaned = dropStaleDeep({ before: scanned, after: redacted, redactor, drops });
  if (cleaned === scanned) return { trajectory, report: own.redaction, clean };
  const merged = report.finish(own.redaction);
  // Only strings were rewritten and optional fields removed, so the shape is still the schema's.
  const result = cleaned as unknown as Trajectory;
  const gymline = {
    ...Object.fromEntries(Object.entries(own).filter(([key]) => ownFields.has(key))),
    ...result.extra.gymline,
    redaction: merged,
    fidelity: withDrops(result.extra.gymline.fidelity, drops),
  } as Trajectory["extra"]["gymline"];
  return { trajectory: { ...result, extra: { ...result.extra, gymline } }, report: merged, clean };
};

const withoutOwnFields = (trajectory: Trajectory): Json => ({
  ...trajectory,
  extra: {
    ...trajectory.extra,
    gymline: Object.fromEntries(
      Object.entries(trajectory.extra.gymline).filter(([key]) => !ownFields.has(key)),
    ),
  },
});

const rewriteDocument = (document: Json, rewriter: Rewriter): Json =>
  rewriteStrings({ node: document, at: place(""), rewriter }) as AtifTrajectory & Json;

/** Step ids count from 1 without gaps, so the number is the index plus one. */
const stepPath = (path: string): string =>
  path.replace(
    /(^|\/subagent_trajectories\/\d+)\/steps\/(\d+)/g,
    (_, head: string, index: string) => `${head}/steps/${Number(index) + 1}`,
  );
