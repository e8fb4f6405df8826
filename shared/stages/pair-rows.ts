import type { GroupRow, PairsTask, RefusedRow, StoredPart } from "../ports/compute.ts";
import type { Attempt, TaskAttempts } from "../preferences/attempt.ts";
import type { Counts } from "../preferences/counts.ts";
import { trajectoryPreferences } from "../preferences/make-preferences.ts";
import type { TrajectoryRow } from "../preferences/preference-row.ts";
import type { MadeRow } from "./dataset-rows.ts";
import { inOrder } from "./in-order.ts";
import type { GroupWork } from "./plan-groups.ts";
import { loadPart, rowsOrDamage } from "./stored-trajectory.ts";

/** Pairs of one task that share documents are rendered together: at most so many pairs and documents. */
const PAIRS = 8;
const DOCUMENTS = 4;
/** Such lots rendered side by side. */
const WINDOW = 16;

/** Pairs of one task, and the attempts that stand in them by place. */
interface Lot {
  readonly task: string;
  readonly attempts: Attempt[];
  readonly pairs: PairsTask["pairs"][number][];
}

/** Preferred and other attempts, task by task. */
export async function* pairRows(work: GroupWork): AsyncGenerator<MadeRow> {
  const { request, tasks, votes, pairsLeftOut, tasksLeftOut, ports } = work;
  const { unit: _unit, layers: _layers, minVotes: _minVotes, ...pairing } = request.pairs;
  const made = trajectoryPreferences({ tasks, leftOut: {} }, { ...pairing, perTask: request.perTask, votes });
  const unpaired = new Unpaired(work);
  const render = (lot: Lot): Promise<readonly (GroupRow | RefusedRow)[]> => renderLot(lot, work);
  for await (const { of, result } of inOrder(lotsOf(made.rows, tasks), { width: WINDOW, work: render })) {
    const { task, pairs } = of;
    const reached = unpaired.countUpTo(task);
    ports.onProgress?.(reached, tasks.length);
    for (const [place, row] of result.entries()) {
      await ports.beat?.();
      const pair = pairs[place]?.of;
      if (pair === undefined) continue;
      if ("refused" in row) {
        pairsLeftOut.add(row.refused);
        continue;
      }
      const members = [pair.chosen, pair.rejected].flatMap(({ id }, side) => {
        const facts = row.facts[side];
        return facts === undefined ? [] : [{ id, facts }];
      });
      unpaired.use(members.map(({ id }) => id));
      const { line, inspection } = row;
      yield { task, line, inspection, members };
    }
  }
  unpaired.countUpTo(undefined);
  const { left_out } = made.summary();
  pairsLeftOut.merge(left_out.pairs);
  tasksLeftOut.merge(left_out.tasks);
}

/** Preferences in lots, each with the attempts of its task; both come in the order of the tasks. */
function* lotsOf(rows: Iterable<TrajectoryRow>, tasks: Iterable<TaskAttempts>): Generator<Lot> {
  const walk = tasks[Symbol.iterator]();
  let attempts = new Map<string, Attempt>();
  let lot: Lot | undefined;
  for (const row of rows) {
    if (lot?.task !== row.task) {
      if (lot !== undefined) yield lot;
      attempts = new Map(attemptsAt(walk, row.task).map((attempt) => [attempt.id, attempt]));
      lot = { task: row.task, attempts: [], pairs: [] };
    }
    const [chosen, rejected] = [attempts.get(row.chosen.id), attempts.get(row.rejected.id)];
    if (chosen === undefined || rejected === undefined) continue;
    if (isFull(lot, [chosen, rejected])) {
      yield lot;
      lot = { task: row.task, attempts: [], pairs: [] };
    }
    const of = { chosen, rejected, source: row.source };
    lot.pairs.push({ of, chosen: placeIn(lot, chosen), rejected: placeIn(lot, rejected) });
  }
  if (lot !== undefined) yield lot;
}

function attemptsAt(walk: Iterator<TaskAttempts>, task: string): readonly Attempt[] {
  for (let next = walk.next(); next.done !== true; next = walk.next()) {
    if (next.value.task === task) return next.value.attempts;
  }
  return [];
}

function isFull({ attempts, pairs }: Lot, more: readonly Attempt[]): boolean {
  const added = more.filter((attempt) => !attempts.includes(attempt)).length;
  return pairs.length > 0 && (pairs.length >= PAIRS || attempts.length + added > DOCUMENTS);
}

function placeIn({ attempts }: Lot, attempt: Attempt): number {
  const known = attempts.indexOf(attempt);
  return known < 0 ? attempts.push(attempt) - 1 : known;
}

async function renderLot(
  { task, attempts, pairs }: Lot,
  { request, ports }: GroupWork,
): Promise<readonly (GroupRow | RefusedRow)[]> {
  const { target } = request;
  const { unit } = request.pairs;
  const parts: readonly StoredPart[] = await Promise.all(
    attempts.map((attempt) => loadPart(attempt, ports.store)),
  );
  return rowsOrDamage(await ports.compute.group({ kind: "pairs", target, unit, task, parts, pairs }));
}

/** Counts the attempts that stand in no pair, task by task, as pairs go by in the order of the tasks. */
class Unpaired {
  readonly #excluded: Counts;
  readonly #walk: Iterator<TaskAttempts>;
  readonly #used = new Set<string>();
  #current: TaskAttempts | undefined;
  #done = 0;

  constructor({ tasks, excluded }: Pick<GroupWork, "tasks" | "excluded">) {
    this.#excluded = excluded;
    this.#walk = tasks[Symbol.iterator]();
  }

  use(ids: readonly string[]): void {
    for (const id of ids) this.#used.add(id);
  }

  /** Settles the tasks before this one, or all of them; gives how many tasks were reached. */
  countUpTo(task: string | undefined): number {
    while (task === undefined || this.#current?.task !== task) {
      if (this.#current !== undefined) this.#count(this.#current);
      const next = this.#walk.next();
      this.#current = next.done === true ? undefined : next.value;
      if (this.#current === undefined) break;
      this.#done += 1;
    }
    return this.#done;
  }

  #count({ attempts }: TaskAttempts): void {
    const unpaired = attempts.filter(({ id }) => !this.#used.has(id)).length;
    this.#used.clear();
    const [first] = attempts;
    if (attempts.length < 2) this.#excluded.add("the only attempt at its task", unpaired);
    else if (attempts.every(({ reward }) => reward === first?.reward))
      this.#excluded.add("all rewards of its task are equal", unpaired);
    else this.#excluded.add("in no pair", unpaired);
  }
}
