/** How a job is stopped from outside. */
export interface JobStop {
  /** Nothing more is begun. */
  readonly drain: AbortSignal;
  /** What is under way is given up. */
  readonly signal: AbortSignal;
  release(): void;
}

/**
 * SIGTERM, as Batch and Spot send it: nothing more is begun, and what is under way has the grace to come to its end. A
 * second one gives it up at once.
 */
export function jobStop(graceMs: number, onStop: (why: string) => void): JobStop {
  const drain = new AbortController();
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const giveUp = (): void => stop.abort(new Error("the job was stopped"));
  const onSignal = (name: NodeJS.Signals): void => {
    if (drain.signal.aborted) {
      giveUp();
      return;
    }
    onStop(name);
    drain.abort(new Error("the job was stopped"));
    timer = setTimeout(giveUp, graceMs);
  };
  const names = ["SIGINT", "SIGTERM"] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    drain: drain.signal,
    signal: stop.signal,
    release: () => {
      clearTimeout(timer);
      for (const name of names) process.off(name, onSignal);
    },
  };
}
