import { describe, expect, it } from "vitest";
import type { EvaluationEpisode } from "../../shared/contracts/evaluation-episode.ts";
import type { Decision } from "../../shared/contracts/model.ts";
import { promotionPolicySchema } from "../../shared/contracts/promotion-policy.ts";
import { evaluationOf } from "../../shared/evaluation/evaluation-of.ts";
import { evaluatedPair } from "../../shared/registry/evaluated-pair.ts";
import { decide } from "../../shared/registry/gate.ts";
import { episodes, planOf } from "./episodes.ts";

const good = episodes({ tasks: 40 }, () => ({ success: true }));
const poor = episodes({ tasks: 40 }, (task) => ({ success: task % 4 === 0 }));

function decided(
  [candidate, champion]: readonly [readonly EvaluationEpisode[], readonly EvaluationEpisode[]],
  { counted = true, guards = [] }: { readonly counted?: boolean; readonly guards?: readonly unknown[] } = {},
): Decision {
  const subject = {
    env: { id: "e", options: {} },
    attempts: 1,
    seed: 1,
    tasksHash: "0".repeat(64),
    planned: planOf(good),
  };
  const agents = [
    { name: "new", model: null, configuration: {}, episodes: candidate, violationsCounted: counted },
    { name: "old", model: null, configuration: {}, episodes: champion },
  ];
  const parts = evaluationOf(subject, { agents, settings: { resamples: 100 } });
  const pair = evaluatedPair(parts, { candidate: "new", champion: "old" });
  return decide({
    model: "m",
    candidate: { version: "2", episodes: pair.candidate },
    champion: { version: "1", episodes: pair.champion ?? [] },
    planned: pair.planned,
    policy: promotionPolicySchema.parse({ guards }),
    challenge: 1,
  });
}

describe("two agents of an evaluation at the gate", () => {
  it("are compared on all that was planned", () => {
    expect(decided([good, poor])).toMatchObject({
      verdict: "promote",
      conditions: [{ planned: 40, pairs: 40 }, {}, {}, {}],
    });
  });

  it("make it invalid where one lacks an episode, and where both lack the same one", () => {
    expect(decided([good.slice(1), poor]).verdict).toBe("invalid");
    const { verdict, reasons } = decided([good.slice(1), poor.slice(1)]);
    expect(verdict).toBe("invalid");
    expect(reasons[0]).toBe("some of the planned episodes are there for neither model");
  });

  it("make a guard of violations invalid where nobody counted them", () => {
    const guards = [{ metric: "violations", margin: 0.15 }];
    expect(decided([good, poor], { guards }).verdict).toBe("promote");
    expect(decided([good, poor], { guards, counted: false }).verdict).toBe("invalid");
  });
});
