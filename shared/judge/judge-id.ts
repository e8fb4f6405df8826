import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { ChatRequest } from "../ports/chat-model.ts";
import type { Rubric } from "../reward/rubrics.ts";
import type { JudgeConfig } from "./config.ts";
import { PROMPT_VERSION } from "./prompt.ts";

/**
 * Names a way of judging: the first 16 hex digits of SHA-256 over all that shapes what a judge says. What rubrics weigh
 * does not count, since it is no part of a score. Nor does the address of the provider, which changes with gateways and
 * ports: give another model another name.
 */
export function judgeId(config: JudgeConfig, rubrics: readonly Rubric[]): string {
  const { provider, model, mode, samples, window, maxSteps, temperature = null } = config;
  const text = canonicalize({
    algorithm: "gymline.judge-id.1",
    prompt: PROMPT_VERSION,
    rubrics: rubrics.map(({ id, name, description }) => ({ id, name, description })),
    ...{ provider, model, mode, samples, window, maxSteps, temperature },
  });
  return sha256(text).slice(0, 16);
}

/** Key of an answer in the cache: SHA-256 over the request, who is asked and the number of the sample, from 0. */
export function requestHash(asked: {
  readonly request: ChatRequest;
  readonly provider: string;
  readonly model: string;
  readonly sample: number;
}): string {
  return sha256(canonicalize({ algorithm: "gymline.request.1", ...asked }));
}

function sha256(text: string | undefined): string {
  return createHash("sha256")
    .update(text ?? "", "utf8")
    .digest("hex");
}
