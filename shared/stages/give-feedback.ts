import { feedbackSchema, type NewFeedback } from "../contracts/feedback.ts";
import type { Catalog, FeedbackSet } from "../ports/catalog.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { versionInputs } from "../versions/version-inputs.ts";
import { manifestOf, type VersionName } from "./stored-manifest.ts";

/** What became of the feedback of several trajectories. */
export type FeedbackCounts = Readonly<Record<FeedbackSet, number>>;

/** Changes under way at once. */
const SIDE_BY_SIDE = 8;

/**
 * Gives the same feedback to trajectories: a source says one thing of each, so repeating it changes nothing, and a later
 * word of the same source replaces it; `score: null` takes it back.
 * @throws ZodError
 */
export async function giveFeedback(
  ids: Iterable<string> | AsyncIterable<string>,
  { feedback, catalog }: { readonly feedback: NewFeedback; readonly catalog: Catalog },
): Promise<FeedbackCounts> {
  const given = feedbackSchema.parse(feedback);
  const counts = { set: 0, unchanged: 0, absent: 0 };
  const underWay = new Set<Promise<void>>();
  const say = async (id: string): Promise<void> => {
    counts[await catalog.setFeedback(id, given)] += 1;
  };
  try {
    for await (const id of ids) {
      const saying = say(id);
      underWay.add(saying);
      saying.then(
        () => underWay.delete(saying),
        () => undefined,
      );
      if (underWay.size >= SIDE_BY_SIDE) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  } finally {
    await Promise.allSettled(underWay);
  }
  await catalog.flush();
  return counts;
}

/**
 * Gives feedback to all trajectories of a dataset version that are still there: what a model reached that was trained on
 * it, for example. Forgotten ones count as absent.
 * @throws NoManifestError, ManifestError, DatasetInputsError, ZodError
 */
export async function giveVersionFeedback(
  version: VersionName,
  {
    feedback,
    store,
    catalog,
  }: { readonly feedback: NewFeedback; readonly store: ObjectStore; readonly catalog: Catalog },
): Promise<FeedbackCounts> {
  const manifest = await manifestOf(version, store);
  return giveFeedback(idsOf(versionInputs(manifest, { store })), { feedback, catalog });
}

async function* idsOf(inputs: AsyncIterable<{ readonly id: string }>): AsyncGenerator<string> {
  for await (const { id } of inputs) yield id;
}
