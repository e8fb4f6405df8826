import { z } from "zod";

/** Feedback as it is given; `score: null` takes back what the source said. */
export const feedbackSchema = z.strictObject({
  /** Who or what says so: stands in keys, so no control characters and no more than 200 characters. */
  source: z
    .string()
    .regex(
      /^[^\p{Cc}\p{Cs}]{1,200}$/u,
      "1 to 200 characters without line breaks or other control characters",
    ),
  score: z.number().min(0).max(1).nullable(),
});
export type NewFeedback = Readonly<z.infer<typeof feedbackSchema>>;

/** What one source says of how useful a trajectory is; each source has one word, a later one replaces it. */
export interface Feedback {
  readonly source: string;
  /** 0 (of no use) to 1. */
  readonly score: number;
}

/**
 * What counts as the feedback of a trajectory: the mean over its sources, whatever their number and kind; null without
 * any. Added up in the order of the sources, so that every catalog comes to the same number.
 */
export function meanFeedback(all: Iterable<Feedback>): number | null {
  const sorted = [...all].sort((a, b) => (a.source < b.source ? -1 : 1));
  if (sorted.length === 0) return null;
  return sorted.reduce((sum, { score }) => sum + score, 0) / sorted.length;
}

/** Sources that the program itself writes. */
export const labelSource = (annotator: string): string => `label:${annotator}`;
export const votesSource = (voter: string): string => `votes:${voter}`;
