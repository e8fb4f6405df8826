import { createHash } from "node:crypto";

/** The samples' time does not come from the machine: it counts from here, one run after the other. */
const FIRST_RUN = Date.UTC(2026, 0, 14, 9, 0, 0);
const BETWEEN_RUNS = 7 * 60 * 1000;

/** A clock that only moves when it is told to. Times are epoch milliseconds. */
export interface Clock {
  now(): number;
  advance(milliseconds: number): number;
}

export function clockOfRun(ordinal: number): Clock {
  let time = FIRST_RUN + ordinal * BETWEEN_RUNS;
  return {
    now: () => time,
    advance(milliseconds) {
      time += milliseconds;
      return time;
    },
  };
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** Deterministic choices of one run, all derived from its seed. */
export interface Dice {
  /** A whole number in [low, high]. */
  between(low: number, high: number): number;
  pick(choices: readonly [string, ...string[]]): string;
  /** `length` hex digits, new ones at each call. */
  hex(length: number): string;
}

export function diceOf(seed: string): Dice {
  let count = 0;
  const digest = (): string => {
    count += 1;
    return createHash("sha512").update(`${seed}:${count}`).digest("hex");
  };
  const below = (limit: number): number => Number.parseInt(digest().slice(0, 8), 16) % limit;
  return {
    between: (low, high) => low + below(high - low + 1),
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
    hex: (length) => digest().slice(0, length),
  };
}

/** A UUID-shaped name. */
export function uuidOf(dice: Dice): string {
  const digits = dice.hex(32);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join("-");
}
