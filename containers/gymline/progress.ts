import { bytesText } from "./terminal.ts";

export interface Progress {
  update(state: { readonly done: number; readonly total: number; readonly bytes?: number }): void;
  end(): void;
}

const WIDTH = 24;
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 10_000;

/** A bar that redraws on a terminal; elsewhere a plain line now and then. Both on stderr. */
export function startProgress(label: string, options: { readonly quiet: boolean }): Progress {
  if (options.quiet) return { update: () => undefined, end: () => undefined };
  const terminal = process.stderr.isTTY === true;
  const started = performance.now();
  let last = started - (terminal ? BAR_EVERY_MS : 0);
  return {
    update({ done, total, bytes }) {
      const now = performance.now();
      if (now - last < (terminal ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
      last = now;
      const speed = bytes === undefined ? "" : `  ${bytesText(bytes)}`;
      const seconds = Math.round((now - started) / 1000);
      if (terminal) {
        const filled = total === 0 ? 0 : Math.round((done / total) * WIDTH);
        const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
        process.stderr.write(`\r\u001b[K${label} ${bar} ${done}/${total}${speed}  ${seconds} s`);
      } else {
        process.stderr.write(`${label} ${done}/${total}${speed} after ${seconds} s\n`);
      }
    },
    end() {
      if (terminal) process.stderr.write("\r\u001b[K");
    },
  };
}
