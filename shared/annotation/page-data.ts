import { createHash } from "node:crypto";
import type { DomainProfile } from "../domains/profile.ts";
import { type Rubric, type RubricBook, rubricsOf } from "../reward/rubrics.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { type Turn, turnsOf } from "./turns.ts";

/** Everything an annotation page shows. It is part of the page, as JSON. */
export interface PageData {
  readonly schema: "gymline.annotation-page.v1";
  /** Hash of what is to be labelled: the same sample has the same id. */
  readonly page_id: string;
  /** Who is to label; "" where the page is to ask. */
  readonly annotator: string;
  readonly items: readonly PageItem[];
}

export interface PageItem {
  /** Trajectory id. */
  readonly id: string;
  readonly domain: string;
  readonly task: { readonly id: string; readonly description: string; readonly repo: string };
  readonly rubrics: readonly PageRubric[];
  readonly turns: readonly Turn[];
  /** Only where the page is not blind. */
  readonly automatic?: { readonly reward: number | null; readonly success: boolean | null };
}

export type PageRubric = Pick<Rubric, "id" | "name" | "description">;

export interface ToAnnotate {
  readonly trajectory: Trajectory;
  readonly profile: DomainProfile;
  readonly reward: number | null;
}

/**
 * What a page for these trajectories shows, in the order given. Without `showScores` neither reward nor the log's own
 * verdict gets into the page at all, so that who labels cannot be led by them.
 */
export function pageData(
  sample: readonly ToAnnotate[],
  options: {
    readonly annotator?: string;
    readonly showScores?: boolean;
    readonly rubrics?: RubricBook;
  } = {},
): PageData {
  const items = sample.map(({ trajectory, profile, reward }): PageItem => {
    const { id, task, outcome } = trajectory.extra.gymline;
    const automatic = { reward, success: outcome.success };
    return {
      id,
      domain: profile.domain,
      task: { id: task.id ?? "", description: task.description ?? "", repo: task.repo ?? "" },
      rubrics: forPeople(rubricsOf(profile, options.rubrics)),
      turns: turnsOf(trajectory),
      ...(options.showScores === true ? { automatic } : {}),
    };
  });
  const revisions = sample.map(({ trajectory }) => {
    const { id, provenance } = trajectory.extra.gymline;
    return [id, provenance.revision];
  });
  return {
    schema: "gymline.annotation-page.v1",
    page_id: createHash("sha256").update(JSON.stringify(revisions)).digest("hex").slice(0, 16),
    annotator: options.annotator ?? "",
    items,
  };
}

/** Without those that only the critic scores. */
function forPeople(rubrics: readonly Rubric[]): readonly PageRubric[] {
  const asked = rubrics.filter(({ evaluator }) => evaluator !== "critic");
  return asked.map(({ id, name, description }) => ({ id, name, description }));
}
