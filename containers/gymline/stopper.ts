import { note } from "./terminal.ts";

/**
 * The first Ctrl-C gives up what is under way and ends in order, the second ends at once. `later` tells how what was
 * given up is done another time.
 */
export function stopper(later: string): { readonly signal: AbortSignal; release(): void } {
  const stop = new AbortController();
  const onSignal = (): void => {
    note(`stopping: episodes under way are given up; ${later}`);
    stop.abort(new Error("the run was stopped"));
  };
  const names = ["SIGINT", "SIGTERM"] as const;
  for (const name of names) process.once(name, onSignal);
  return {
    signal: stop.signal,
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
