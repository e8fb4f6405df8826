import type { CollectEvent } from "../../shared/collect/collect.ts";
import type { EpisodeEntry } from "../../shared/collect/episode-entry.ts";
import { pc } from "./colours.ts";
import { usdText } from "./judge-report.ts";
import { displayWidth, note, printable } from "./terminal.ts";

interface Slot {
  readonly id: string;
  readonly startedAt: number;
  turns: number;
}

const REDRAW_MS = 200;

/** How a run goes: on a terminal a table that redraws, elsewhere a line for each episode that ends. Both on stderr. */
export class CollectTable {
  readonly #total: number;
  readonly #quiet: boolean;
  readonly #terminal = process.stderr.isTTY === true;
  readonly #slots = new Map<number, Slot>();
  readonly #counts = { done: 0, failed: 0, solved: 0, judged: 0, usd: 0 };
  readonly #timer: NodeJS.Timeout | undefined;
  #lines = 0;

  constructor(options: {
    readonly total: number;
    /** What an earlier start did. */
    readonly done: readonly EpisodeEntry[];
    readonly quiet: boolean;
    readonly run: string;
    readonly seed: number;
  }) {
    this.#total = options.total;
    this.#quiet = options.quiet;
    for (const entry of options.done) this.#count(entry);
    if (options.quiet) return;
    const before = options.done.length === 0 ? "" : `, ${options.done.length} done before`;
    note(`run ${options.run}, seed ${options.seed}: ${options.total} episodes${before}`);
    if (this.#terminal) this.#timer = setInterval(() => this.#draw(), REDRAW_MS).unref();
  }

  update(event: CollectEvent): void {
    if (event.kind === "start") {
      this.#slots.set(event.slot, { id: event.episode.id, startedAt: performance.now(), turns: 0 });
    } else if (event.kind === "turn") {
      const slot = this.#slots.get(event.slot);
      if (slot !== undefined) slot.turns = event.turns;
    } else {
      this.#slots.delete(event.slot);
      this.#count(event.entry);
      if (this.#quiet) return;
      this.#clear();
      note(this.#line(event.entry));
      if (this.#terminal) this.#draw();
    }
  }

  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #count({ kind, success, cost_usd }: EpisodeEntry): void {
    const counts = this.#counts;
    if (kind === "done") counts.done += 1;
    else counts.failed += 1;
    if (success !== null) counts.judged += 1;
    if (success === true) counts.solved += 1;
    counts.usd += cost_usd ?? 0;
  }

  #line(entry: EpisodeEntry): string {
    const { done, failed } = this.#counts;
    const place = `[${String(done + failed).padStart(String(this.#total).length)}/${this.#total}]`;
    const word =
      entry.kind === "failed"
        ? pc.red("failed")
        : entry.success === null
          ? "done"
          : entry.success
            ? pc.green("solved")
            : "unsolved";
    const facts = [
      `reward ${Number(entry.reward.toFixed(3))}`,
      `${entry.turns} turns`,
      entry.cost_usd === null ? "" : usdText(entry.cost_usd),
      `${entry.seconds.toFixed(1)} s`,
      entry.kind === "failed" ? printable(`${entry.error?.name}: ${entry.error?.message}`) : entry.stop,
    ];
    return `${place} ${printable(entry.id)}  ${word}  ${facts.filter((each) => each !== "").join("  ")}`;
  }

  #draw(): void {
    // Some terminals say that they have no columns.
    const width = process.stderr.columns || 80;
    const { done, failed, solved, judged, usd } = this.#counts;
    const head = [
      `${done + failed}/${this.#total}`,
      judged === 0 ? "" : `solved ${solved}/${judged}`,
      failed === 0 ? "" : `failed ${failed}`,
      usd === 0 ? "" : usdText(usd),
    ];
    const rows = [...this.#slots].sort(([left], [right]) => left - right).map(([, slot]) => row(slot));
    const most = Math.max(1, (process.stderr.rows || 24) - 2);
    const lines = [head.filter((each) => each !== "").join("   "), ...rows].slice(0, most);
    this.#clear();
    process.stderr.write(lines.map((line) => `${cutTo(line, width - 1)}\n`).join(""));
    this.#lines = lines.length;
  }

  #clear(): void {
    if (this.#lines > 0) process.stderr.write(`\u001b[${this.#lines}A\u001b[J`);
    this.#lines = 0;
  }
}

function row({ id, turns, startedAt }: Slot): string {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return `  ${printable(id)}  turn ${turns}  ${seconds} s`;
}

function cutTo(line: string, width: number): string {
  let kept = line;
  while (kept !== "" && displayWidth(kept) > width) kept = kept.slice(0, -1);
  return kept;
}
