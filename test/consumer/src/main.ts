import { agentSteps, type Format, registerFormat, type Trajectory } from "gymline";

/** A format of the user's own: one question and one answer. */
const pair: Format = {
  name: "question-answer",
  description: "one question and one answer",
  version: "1",
  detect: () => ({ match: false, near: 0, missing: ["question", "answer"] }),
  convert: () => [],
};
registerFormat(pair);

const steps: Trajectory["steps"] = [
  { step_id: 1, source: "user", message: "What is six times seven?" },
  {
    step_id: 2,
    source: "agent",
    message: "",
    tool_calls: [{ tool_call_id: "c1", function_name: "multiply", arguments: { left: 6, right: 7 } }],
    observation: { results: [{ source_call_id: "c1", content: "42" }] },
  },
];

for (const turn of agentSteps({ steps })) {
  for (const { tool, output } of turn.calls) console.log(`${tool} = ${output ?? "nothing"}`);
}
