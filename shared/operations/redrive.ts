import type { StageName } from "../contracts/deployment-config.ts";
import type { DeadLetter, DeadLetters } from "../ports/dead-letters.ts";
import { type MessageQueue, QueueSendError } from "../ports/queue.ts";
import { type Redriven, redriven } from "./redriven.ts";

export interface RedrivePorts {
  readonly letters: DeadLetters;
  readonly queue: MessageQueue;
  /** Told of each message as it is moved (or, in a dry run, would be). */
  readonly onMoved?: (moved: MovedLetter) => void;
}

export interface MovedLetter {
  /** Of the message in the dead-letter queue. */
  readonly id: string;
  /** Keys, ids or names that it is about. */
  readonly subjects: readonly string[];
}

export interface RedriveReport {
  /** Dead letters when it began; what came later stays. */
  readonly found: number;
  /** Dead letters whose messages are back in the queue. */
  readonly moved: readonly MovedLetter[];
  /** Messages that were sent for them. */
  readonly sent: number;
  /** Moved, but still in the dead-letter queue: they come twice, which does no harm. */
  readonly twice: readonly string[];
}

/** The stage's queue did not take some messages: their dead letters stay where they are. */
export class RedriveError extends Error {
  override readonly name = "RedriveError";
  readonly report: RedriveReport;
  constructor(report: RedriveReport, cause: unknown) {
    const why = cause instanceof Error ? cause.message : "unknown fault";
    super(
      `${report.moved.length} dead letters were moved, then the queue took no more: ${why}. Nothing is lost; run the same command again`,
      { cause },
    );
    this.report = report;
  }
}

/** What a queue hands out at a time. */
const MOST_AT_ONCE = 10;

/**
 * Moves dead letters back into their stage's queue. A letter is removed only when all its messages were accepted, so a
 * process that is stopped in between moves some twice, but loses none. It ends at the number of letters that there
 * were at the start: a stage that fails again sends its messages back here while this is running.
 * @throws RedriveError
 */
export async function redrive(
  order: { readonly stage: StageName; readonly limit?: number; readonly dryRun: boolean },
  ports: RedrivePorts,
): Promise<RedriveReport> {
  const { stage, limit = Number.POSITIVE_INFINITY, dryRun } = order;
  const { letters } = ports;
  const found = await letters.count();
  const run = new Run(found, ports);
  const held: DeadLetter[] = [];
  try {
    for (let left = Math.min(found, limit); left > 0; ) {
      const received = await letters.receive(Math.min(left, MOST_AT_ONCE));
      if (received.length === 0) break;
      left -= received.length;
      const changed = received.map((letter) => ({ letter, ...redriven(stage, letter.body) }));
      if (dryRun) {
        // Held to the end, or the queue would hand them out again.
        held.push(...received);
        for (const one of changed) run.note(one);
      } else await run.move(changed);
    }
  } finally {
    if (held.length > 0) await letters.release(held);
  }
  return run.report();
}

type Changed = Redriven & { readonly letter: DeadLetter };

class Run {
  readonly #found: number;
  readonly #ports: RedrivePorts;
  readonly #moved: MovedLetter[] = [];
  readonly #twice: string[] = [];
  #sent = 0;

  constructor(found: number, ports: RedrivePorts) {
    this.#found = found;
    this.#ports = ports;
  }

  async move(changed: readonly Changed[]): Promise<void> {
    const { letters, queue } = this.#ports;
    let failure: { readonly cause: unknown; readonly unsent: ReadonlySet<string> } | undefined;
    try {
      await queue.send(changed.flatMap(({ bodies }) => bodies));
    } catch (cause) {
      // Of anything but a plain refusal it is not known what got there.
      const unsent = cause instanceof QueueSendError ? cause.unsent : changed.flatMap(({ bodies }) => bodies);
      failure = { cause, unsent: new Set(unsent) };
    }
    const isSent = ({ bodies }: Changed): boolean =>
      !bodies.some((body) => failure?.unsent.has(body) === true);
    const sent = changed.filter(isSent);
    const stay = sent.length === 0 ? [] : await letters.remove(sent.map(({ letter }) => letter));
    this.#twice.push(...stay.map(({ id }) => id));
    for (const one of sent) this.note(one);
    if (failure === undefined) return;
    await letters.release(changed.filter((one) => !isSent(one)).map(({ letter }) => letter));
    throw new RedriveError(this.report(), failure.cause);
  }

  note({ letter, subjects, bodies }: Changed): void {
    const moved = { id: letter.id, subjects };
    this.#moved.push(moved);
    this.#sent += bodies.length;
    this.#ports.onMoved?.(moved);
  }

  report(): RedriveReport {
    return { found: this.#found, moved: this.#moved, sent: this.#sent, twice: this.#twice };
  }
}
