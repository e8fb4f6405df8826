import { AsyncLocalStorage } from "node:async_hooks";

/** A piece of work. */
interface Member {
  /** How many more of its questions wait for the others. */
  left: number;
  waiting: boolean;
}

interface Waiting<Q, A> {
  readonly member: Member;
  readonly question: Q;
  readonly resolve: (answer: Promise<A>) => void;
}

/** So long the first who asks waits at the most, in milliseconds. */
const LONGEST_WAIT_MS = 50;

/**
 * Pieces of work that are alike and go side by side, such as the messages of one invocation. What they ask for is
 * asked for together: as soon as each of them waits for something, or after 50 ms. A piece takes part with its first
 * few questions; later ones, and those from outside, are asked at once.
 */
export class Crowd {
  readonly #inside = new AsyncLocalStorage<Member>();
  readonly #members = new Set<Member>();
  readonly #flushes: (() => void)[] = [];

  /** @param questions how many of its questions wait for the others */
  async join<T>(questions: number, work: () => Promise<T>): Promise<T> {
    const member = { left: questions, waiting: false };
    this.#members.add(member);
    try {
      return await this.#inside.run(member, work);
    } finally {
      this.#members.delete(member);
      this.#look();
    }
  }

  /**
   * A question that is asked together.
   * @param together gives an answer to each question, in their order
   */
  gathered<Q, A>(together: (questions: readonly Q[]) => readonly Promise<A>[]): (question: Q) => Promise<A> {
    let waiting: Waiting<Q, A>[] = [];
    let timer: NodeJS.Timeout | undefined;
    const flush = (): void => {
      clearTimeout(timer);
      timer = undefined;
      const asked = waiting;
      waiting = [];
      if (asked.length === 0) return;
      const answers = together(asked.map(({ question }) => question));
      for (const [index, { member, resolve }] of asked.entries()) {
        member.waiting = false;
        if (member.left === 0) this.#members.delete(member);
        resolve(answers[index] ?? unanswered());
      }
    };
    this.#flushes.push(flush);
    return (question) => {
      const member = this.#inside.getStore();
      if (member === undefined || member.left === 0) return together([question])[0] ?? unanswered();
      member.left -= 1;
      member.waiting = true;
      return new Promise<A>((resolve) => {
        waiting.push({ member, question, resolve });
        timer ??= setTimeout(flush, LONGEST_WAIT_MS);
        // What the same piece asks for in this turn goes along.
        setImmediate(() => this.#look());
      });
    };
  }

  #look(): void {
    for (const { waiting } of this.#members) if (!waiting) return;
    for (const flush of this.#flushes) flush();
  }
}

async function unanswered(): Promise<never> {
  throw new TypeError("a question was given no answer");
}
