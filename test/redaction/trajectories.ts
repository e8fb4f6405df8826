import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";

type Input = Readonly<Record<string, unknown>>;

/** A valid document around the given steps and `extra.gymline` fields. */
export const makeTrajectory = (
  steps: readonly Input[],
  more: { readonly gymline?: Input; readonly document?: Input; readonly agent?: Input } = {},
): Trajectory =>
  trajectorySchema.parse({
    schema_version: "ATIF-v1.8",
    session_id: "session",
    agent: { name: "agent", version: "1", ...more.agent },
    steps: steps.map((step, index) => ({ step_id: index + 1, ...step })),
    ...more.document,
    extra: {
      gymline: {
        schema: "gymline.trajectory.v1",
        id: "0".repeat(64),
        content_id: "1".repeat(64),
        id_version: "gymline.id.v1",
        content_id_version: "gymline.content.v1",
        task: {},
        outcome: { success: null },
        provenance: { format: "test", converter: "1", source_bytes: 1, revision: "2" },
        redaction: { total: 0, by_type: {}, entries: [] },
        fidelity: { tokens: "token_exact", dropped: [], notes: [] },
        lint: [],
        ...more.gymline,
      },
    },
  });

export const agentStep = (more: Input): Input => ({ source: "agent", message: "ok", ...more });
