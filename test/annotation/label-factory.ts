import type { Label } from "../../shared/contracts/label.ts";
import { idOf } from "../factories/catalog-rows.ts";

/** `name` is turned into an id unless it is one. */
export function makeLabel(name: string, more: Partial<Label> = {}): Label {
  return {
    schema: "gymline.label.v1",
    trajectory_id: name.length === 64 ? name : idOf(name),
    annotator: "ann",
    score: 0.75,
    success: true,
    rubrics: { goal_progress: 1 },
    steps: [{ index: 0, score: 0.5 }],
    comment: "",
    labelled_at: "2026-01-31T12:00:00.000Z",
    ...more,
  };
}

/** A file as the page saves it. */
export function makeFile(labels: readonly unknown[], annotator = "ann"): Readonly<Record<string, unknown>> {
  return {
    schema: "gymline.labels.v1",
    annotator,
    page_id: "00112233aabbccdd",
    saved_at: "2026-01-31T13:00:00.000Z",
    labels,
    drafts: [],
  };
}
