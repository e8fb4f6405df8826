import type { TimeStep } from "../protocol.ts";

/** What is wrong with an answer of `reset` or `step`. */
export function timeStepProblems(step: TimeStep, of: "reset" | "step"): readonly string[] {
  const value: unknown = step;
  if (typeof value !== "object" || value === null) return [`${of} gave no time step`];
  const problems: string[] = [];
  const { observation, reward, terminated, truncated, done, info } = step;
  if (typeof observation !== "string") problems.push("observation is no text");
  if (!Number.isFinite(reward)) problems.push("reward is no finite number");
  for (const [name, flag] of Object.entries({ terminated, truncated, done })) {
    if (typeof flag !== "boolean") problems.push(`${name} is neither true nor false`);
  }
  if (done !== (terminated || truncated)) problems.push("done is not terminated || truncated");
  if (of === "reset" && done) problems.push("the episode is over before it began");
  if (of === "reset" && reward !== 0) problems.push("a reset earns a reward");
  if (typeof info !== "object" || info === null) return [...problems, "info is no object"];
  if (info.exitCode !== undefined && !Number.isInteger(info.exitCode)) {
    problems.push("info.exitCode is no whole number");
  }
  if (info.error !== undefined && typeof info.error !== "string") problems.push("info.error is no text");
  const { score } = info;
  if (score !== undefined && score !== null && !(score >= 0 && score <= 1)) {
    problems.push("info.score is not within 0 and 1");
  }
  try {
    structuredClone(info);
    JSON.stringify(info);
  } catch {
    problems.push("info holds what cannot be stored");
  }
  return problems;
}
