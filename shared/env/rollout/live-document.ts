import type { Draft } from "../../trajectory/draft.ts";
import { TRAJECTORY_SCHEMA } from "../../trajectory/gymline-extra.ts";
import { CONTENT_ID_VERSION, contentIdentity, ID_VERSION, recordId } from "../../trajectory/identity.ts";
import { lintTrajectory } from "../../trajectory/lint.ts";
import { ATIF_VERSION, type Trajectory } from "../../trajectory/schema.ts";

/** Raised when what the recorder writes changes. */
const RECORDER = "1";

/**
 * A recorded episode as a document of its own. It is not redacted: that happens when it is taken in, which also gives it
 * its final ids. Until then `id` is the hash of what was recorded.
 */
export function liveDocument(draft: Draft): Trajectory {
  const { task, outcome, metadata } = draft;
  // The episode may go on.
  const document = structuredClone(draft.document);
  const source = new TextEncoder().encode(JSON.stringify({ document, task, outcome, metadata }));
  const id = recordId(source);
  const { contentId } = contentIdentity(document, task.id, { prefixes: false });
  return {
    schema_version: ATIF_VERSION,
    ...document,
    extra: {
      gymline: {
        schema: TRAJECTORY_SCHEMA,
        id,
        content_id: contentId,
        id_version: ID_VERSION,
        content_id_version: CONTENT_ID_VERSION,
        ...(draft.session === undefined ? {} : { session: draft.session }),
        ...(draft.domain === undefined ? {} : { domain: draft.domain }),
        task,
        outcome: { ...outcome },
        provenance: {
          format: "gymline-env",
          converter: RECORDER,
          variant: draft.variant,
          source_bytes: source.length,
          revision: `recorder-${RECORDER}`,
        },
        redaction: { total: 0, by_type: {}, entries: [] },
        fidelity: draft.fidelity,
        lint: [...lintTrajectory(draft)],
        ...(draft.startedAt === undefined ? {} : { started_at: draft.startedAt }),
        ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
      },
    },
  };
}
