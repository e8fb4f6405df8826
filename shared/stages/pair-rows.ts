import { renderPair } from "../dataset/targets/pair-rows.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import { rowPieces } from "../dataset/targets/write-row.ts";
import type { Attempt, TaskAttempts } from "../preferences/attempt.ts";
import type { Counts } from "../preferences/counts.ts";
import { trajectoryPreferences } from "../preferences/make-preferences.ts";
import type { TrajectoryRow } from "../preferences/preference-row.ts";
import type { MadeRow } from "./dataset-rows.ts";
import type { GroupWork } from "./plan-groups.ts";
import { loadAttempt, type StoredTrajectory } from "./stored-trajectory.ts";
import { withUtf8 } from "./utf8-pieces.ts";

/** How many documents of a task are kept for its next pairs. */
const KEPT = 4;

/** Preferred and other attempts, task by task. */
export async function* pairRows(work: GroupWork): AsyncGenerator<MadeRow> {
  const { request, tasks, votes, excluded, pairsLeftOut, tasksLeftOut, ports } = work;
  const { target, pairs, perTask } = request;
  const { columns } = targetOf(target);
  const { unit, layers: _, minVotes: __, ...pairing } = pairs;
  const made = trajectoryPreferences({ tasks, leftOut: {} }, { ...pairing, perTask, votes });
  const byTask = new Map(tasks.map((of) => [of.task, of]));
  const used = new Set<string>();
  let documents = new Documents(work);
  let task: string | undefined;
  let done = 0;
  for (const preferred of made.rows) {
    if (preferred.task !== task) {
      task = preferred.task;
      documents = new Documents(work);
      done += 1;
      ports.onProgress?.(done, tasks.length);
    }
    await ports.beat?.();
    const pair = attemptsOf(preferred, byTask.get(preferred.task));
    if (pair === undefined) continue;
    const [chosen, rejected] = [await documents.of(pair.chosen), await documents.of(pair.rejected)];
    const of = { pair, task, chosen: chosen.trajectory, rejected: rejected.trajectory };
    const rendering = renderPair(target, of, unit);
    if (rendering.kind === "refused") {
      pairsLeftOut.add(rendering.reason);
      continue;
    }
    for (const { id } of [pair.chosen, pair.rejected]) used.add(id);
    const pieces = rowPieces(rendering.row, columns, chosen.trajectory);
    yield {
      task,
      line: withUtf8(pieces, (bytes) => new Uint8Array(bytes)),
      members: [
        { id: pair.chosen.id, facts: chosen.facts },
        { id: pair.rejected.id, facts: rejected.facts },
      ],
    };
  }
  const { left_out } = made.summary();
  pairsLeftOut.merge(left_out.pairs);
  tasksLeftOut.merge(left_out.tasks);
  for (const of of tasks) countUnpaired(of, { used, excluded });
}

function countUnpaired(
  { attempts }: TaskAttempts,
  { used, excluded }: { readonly used: ReadonlySet<string>; readonly excluded: Counts },
): void {
  const unpaired = attempts.filter(({ id }) => !used.has(id)).length;
  const [first] = attempts;
  if (attempts.length < 2) excluded.add("the only attempt at its task", unpaired);
  else if (attempts.every(({ reward }) => reward === first?.reward))
    excluded.add("all rewards of its task are equal", unpaired);
  else excluded.add("in no pair", unpaired);
}

function attemptsOf(
  { chosen, rejected, source }: TrajectoryRow,
  of: TaskAttempts | undefined,
):
  | { readonly chosen: Attempt; readonly rejected: Attempt; readonly source: TrajectoryRow["source"] }
  | undefined {
  const [better, worse] = [chosen, rejected].map(({ id }) =>
    of?.attempts.find((attempt) => attempt.id === id),
  );
  return better === undefined || worse === undefined
    ? undefined
    : { chosen: better, rejected: worse, source };
}

/** Documents of one task; the last few are kept, since an attempt may stand in several pairs. */
class Documents {
  readonly #work: GroupWork;
  readonly #kept = new Map<string, StoredTrajectory>();

  constructor(work: GroupWork) {
    this.#work = work;
  }

  async of(attempt: Attempt): Promise<StoredTrajectory> {
    const known = this.#kept.get(attempt.id);
    const found = known ?? (await loadAttempt(attempt, this.#work.ports.store));
    this.#kept.delete(attempt.id);
    this.#kept.set(attempt.id, found);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return found;
  }
}
