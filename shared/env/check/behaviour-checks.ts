import { isDeepStrictEqual } from "node:util";
import type { Action, TimeStep } from "../protocol.ts";
import type { Check } from "./check-bench.ts";
import { wrongParams } from "./sample-params.ts";
import { timeStepProblems } from "./time-step-problems.ts";
import { schemaDifferences, toolProblems } from "./tool-problems.ts";

const ID = /^[\w.-]+\/[\w.-]+-v[1-9]\d*$/;

/** What an environment answers. */
export const behaviourChecks: readonly Check[] = [
  {
    name: "names itself",
    run: (bench) =>
      bench.use(async (env) => [
        ...(ID.test(env.id) ? [] : [`its id "${env.id}" is not of the form namespace/name-v1`]),
        ...(env.domain.trim() === "" ? ["it names no domain"] : []),
        ...(env.unwrapped.unwrapped === env.unwrapped ? [] : ["unwrapped is not the innermost environment"]),
      ]),
  },
  {
    name: "tells its tools",
    run: (bench) =>
      bench.use(async (env) => {
        await env.reset(bench.resetOptions());
        return toolProblems(env.tools);
      }),
  },
  {
    name: "tells the schemas it checks by",
    skip: ({ options }) => (options.envTools === undefined ? "no `envTools` were given" : undefined),
    run: (bench) =>
      bench.use(async (env) => {
        await env.reset(bench.resetOptions());
        return schemaDifferences(env.tools, bench.options.envTools ?? []);
      }),
  },
  {
    name: "answers with time steps",
    run: (bench) =>
      bench.use(async (env) => {
        const [first, ...steps] = await bench.play(env, bench.resetOptions());
        return [
          ...(first === undefined ? [] : timeStepProblems(first, "reset")),
          ...steps.flatMap((step) => timeStepProblems(step, "step")),
        ];
      }),
  },
  {
    name: "answers invalid actions",
    run: (bench) =>
      bench.use(async (env) => {
        const problems: string[] = [];
        await env.reset(bench.resetOptions());
        const random = bench.random();
        const wrong = env.tools.flatMap((tool) =>
          wrongParams(tool, random).map((each) => ({ ...each, tool: tool.name })),
        );
        const actions: readonly (Action & { readonly wrong: string })[] = [
          { tool: "no-such-tool", params: {}, wrong: "that does not exist" },
          ...wrong,
        ];
        for (const { wrong: what, ...action } of actions) {
          const name = `${action.tool} ${what}`;
          let step: TimeStep;
          try {
            step = await env.step(action);
          } catch (error) {
            problems.push(`${name}: it threw ${String(error)} instead of an observation`);
            await env.reset(bench.resetOptions());
            continue;
          }
          if (typeof step.info.error !== "string") problems.push(`${name}: info.error does not say why`);
          if (step.observation.trim() === "") problems.push(`${name}: the observation says nothing`);
          if (step.terminated) problems.push(`${name}: it ended the task`);
          if (step.done) await env.reset(bench.resetOptions());
        }
        return problems;
      }),
  },
  {
    name: "leaves what it is given alone",
    run: (bench) =>
      bench.use(async (env) => {
        await env.reset(frozen(bench.resetOptions()));
        await env.step(frozen(bench.action(env, bench.random())));
        return [];
      }),
  },
  {
    name: "repeats itself with the same seed",
    skip: ({ options }) => (options.deterministic === false ? "it is not deterministic" : undefined),
    run: async (bench) => {
      const play = () => bench.use((env) => bench.play(env, bench.resetOptions()));
      const [one, two] = [await play(), await play()];
      const again = await bench.use(async (env) => {
        await bench.play(env, bench.resetOptions());
        return await bench.play(env, bench.resetOptions());
      });
      return [
        ...difference(one, two).map((place) => `two environments differ at ${place}`),
        ...difference(one, again).map((place) => `a second episode differs from the first at ${place}`),
      ];
    },
  },
  {
    name: "judges when it is asked",
    run: (bench) =>
      bench.use(async (env) => {
        if (env.verdict === undefined) return { skipped: "it has no verdict()" };
        await env.reset(bench.resetOptions());
        const { success, score } = await env.verdict();
        return [
          ...(success === null || typeof success === "boolean" ? [] : ["success is no verdict"]),
          ...(score === null || (score >= 0 && score <= 1) ? [] : ["score is not within 0 and 1"]),
        ];
      }),
  },
];

function difference(left: readonly TimeStep[], right: readonly TimeStep[]): readonly string[] {
  const length = Math.max(left.length, right.length);
  const at = Array.from({ length }, (_, index) => index).find(
    (index) => !isDeepStrictEqual(left[index], right[index]),
  );
  return at === undefined ? [] : [at === 0 ? "the reset" : `step ${at}`];
}

/** Writing to it throws. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}
