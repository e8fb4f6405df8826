import type { Step, Trajectory } from "../../shared/trajectory/schema.ts";

export type Call = readonly [tool: string, params: Readonly<Record<string, unknown>>, output: string];

export interface Run {
  readonly system?: string;
  readonly prompt?: string;
  readonly calls?: readonly Call[];
  readonly answer?: string;
}

/** The steps of a trajectory, which is all that a trace is read from. */
export function makeSteps({ system, prompt = "Do it.", calls = [], answer }: Run): Pick<Trajectory, "steps"> {
  const steps: Omit<Step, "step_id">[] = [];
  if (system !== undefined) steps.push({ source: "system", message: system });
  steps.push({ source: "user", message: prompt });
  for (const [index, [tool, params, output]] of calls.entries()) {
    const id = `c${index}`;
    steps.push({
      source: "agent",
      message: "",
      tool_calls: [{ tool_call_id: id, function_name: tool, arguments: { ...params } }],
      observation: { results: [{ source_call_id: id, content: output }] },
    });
  }
  if (answer !== undefined) steps.push({ source: "agent", message: answer });
  return { steps: steps.map((step, index) => ({ ...step, step_id: index + 1 })) };
}

/** A small generator of numbers below 2^32 (mulberry32), so that a seed stands for a set of trajectories. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  };
}

const WORDS = [
  ...["alpha", "binary", "cache", "delta", "engine", "filter", "graph", "handle", "index", "join"],
  ...["kernel", "ledger", "module", "node", "order", "parser", "query", "route", "stream", "token"],
  ...["union", "vector", "worker", "yield", "zone", "buffer", "client", "daemon", "event", "field"],
];

/** Three words, of 27,000 possible ones. */
export function phrase(random: () => number): string {
  return Array.from({ length: 3 }, () => WORDS[random() % WORDS.length]).join(" ");
}

/** A coding run of its own: what it does and sees is drawn from the seed. */
export function makeRun(
  seed: number,
  { steps = 12, lines = 6 } = {},
): Required<Pick<Run, "prompt" | "calls">> {
  const random = randomOf(seed);
  const calls = Array.from({ length: steps }, (): Call => {
    const name = phrase(random).replaceAll(" ", "_");
    const output = Array.from({ length: lines }, () => `${phrase(random)} = ${phrase(random)}`).join("\n");
    return random() % 2 === 0
      ? ["bash", { command: `grep -rn ${name} src` }, output]
      : ["read_file", { path: `src/${name}.py` }, output];
  });
  return { prompt: `Mend the ${phrase(random)} (${seed}).`, calls };
}
