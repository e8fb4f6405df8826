import type { Step } from "../schema.ts";

/** An action that waits for, or got, its observation. */
export interface Placed {
  readonly type: string;
  readonly step: Step;
  readonly callId: string | undefined;
}

/** The actions without an observation: first come, first served within a kind, in constant time each. */
export class OpenActions {
  readonly #open = new Set<Placed>();
  readonly #queues = new Map<string, { readonly actions: Placed[]; head: number }>();

  add(placed: Placed): void {
    this.#open.add(placed);
    const queue = this.#queues.get(placed.type);
    if (queue === undefined) this.#queues.set(placed.type, { actions: [placed], head: 0 });
    else queue.actions.push(placed);
  }

  answer(placed: Placed): void {
    this.#open.delete(placed);
  }

  /** The open action that has waited longest among those of `type`. */
  first(type: string): Placed | undefined {
    const queue = this.#queues.get(type);
    if (queue === undefined) return undefined;
    for (; queue.head < queue.actions.length; queue.head += 1) {
      const placed = queue.actions[queue.head];
      if (placed !== undefined && this.#open.has(placed)) return placed;
    }
    return undefined;
  }

  /** The only open action, of whatever kind. */
  only(): Placed | undefined {
    if (this.#open.size !== 1) return undefined;
    const [only] = this.#open;
    return only;
  }
}
