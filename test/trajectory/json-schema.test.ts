import { describe, expect, it } from "vitest";
import { z } from "zod";
import { trajectoryJsonSchema } from "../../shared/trajectory/json-schema.ts";
import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";

const trajectory: Trajectory = {
  schema_version: "ATIF-v1.8",
  agent: { name: "sample", version: "1" },
  steps: [
    { step_id: 1, source: "user", message: "List the files." },
    {
      step_id: 2,
      timestamp: "2025-03-01T10:00:00Z",
      source: "agent",
      message: "",
      tool_calls: [{ tool_call_id: "c1", function_name: "ls", arguments: { path: "." } }],
      observation: { results: [{ source_call_id: "c1", content: [{ type: "text", text: "a.txt" }] }] },
    },
  ],
  extra: {
    gymline: {
      schema: "gymline.trajectory.v1",
      id: "0".repeat(64),
      content_id: "1".repeat(64),
      id_version: "gymline.id.v1",
      content_id_version: "gymline.content.v1",
      task: { id: "t1" },
      outcome: { success: null },
      provenance: { format: "atif", converter: "1", source_bytes: 10, revision: "r1" },
      redaction: { total: 0, by_type: {}, entries: [] },
      fidelity: { tokens: "text_only", dropped: [], notes: [] },
      lint: [],
    },
  },
};

/** The schema as another reader sees it: after a trip through JSON, without the code it was made from. */
const reader = z.fromJSONSchema(JSON.parse(JSON.stringify(trajectoryJsonSchema())));

describe("the JSON Schema of a trajectory", () => {
  it("is the one committed under docs (npm run schema writes it anew)", async () => {
    const text = `${JSON.stringify(trajectoryJsonSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot("../../docs/trajectory.schema.json");
  });

  it("accepts a valid trajectory", () => {
    expect(trajectorySchema.safeParse(trajectory).error).toBeUndefined();
    expect(reader.safeParse(trajectory).error).toBeUndefined();
  });

  it.each([
    ["an unknown version", { ...trajectory, schema_version: "ATIF-v9" }],
    ["no steps", { ...trajectory, steps: [] }],
    ["an unknown field", { ...trajectory, colour: "red" }],
    ["an unknown source", { ...trajectory, steps: [{ step_id: 1, source: "robot", message: "" }] }],
    ["a timestamp that is none", { ...trajectory, steps: [{ ...trajectory.steps[0], timestamp: "today" }] }],
    ["no facts of its own", { ...trajectory, extra: {} }],
  ])("rejects %s, as the program does", (_, document) => {
    expect(trajectorySchema.safeParse(document).success).toBe(false);
    expect(reader.safeParse(document).success).toBe(false);
  });
});
