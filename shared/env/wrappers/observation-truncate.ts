import type { Action, AgentEnv, ResetOptions, TimeStep } from "../protocol.ts";
import { EnvWrapper } from "./env-wrapper.ts";
import { wholeNumber } from "./whole-number.ts";

export interface ObservationTruncateOptions {
  /** Most Unicode code points of an observation, the mark of what was cut among them. */
  readonly maxChars?: number;
  /** `ends`: the middle is cut, since the last lines of an output often say how it went. */
  readonly keep?: "start" | "ends";
}

/** Cuts long observations, that of the reset too. The text says how much is gone, `info.observationCut` too. */
export class ObservationTruncate extends EnvWrapper {
  readonly #max: number;
  readonly #keep: "start" | "ends";

  /** @throws RangeError for less than one code point */
  constructor(env: AgentEnv, { maxChars = 8000, keep = "ends" }: ObservationTruncateOptions = {}) {
    super(env);
    this.#max = wholeNumber("maxChars", maxChars, 1);
    this.#keep = keep;
  }

  protected override async onReset(options: ResetOptions): Promise<TimeStep> {
    return this.#cut(await super.onReset(options));
  }

  protected override async onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    return this.#cut(await super.onStep(action, signal));
  }

  #cut(step: TimeStep): TimeStep {
    const { text, cut } = truncateText(step.observation, { max: this.#max, keep: this.#keep });
    if (cut === 0) return step;
    return {
      ...step,
      observation: text,
      info: { ...step.info, observationTruncated: true, observationCut: cut },
    };
  }
}

/** The text within `max` code points, and how many of its own were left out. */
export function truncateText(
  text: string,
  { max, keep }: { readonly max: number; readonly keep: "start" | "ends" },
): { readonly text: string; readonly cut: number } {
  // Never more code points than code units.
  if (text.length <= max) return { text, cut: 0 };
  const points = [...text];
  if (points.length <= max) return { text, cut: 0 };
  const longest = mark(points.length).length;
  const kept = Math.max(0, max - longest);
  // Too little room to say it in the text: info says it.
  if (kept === 0) return { text: points.slice(0, max).join(""), cut: points.length - max };
  const tail = keep === "ends" ? Math.floor(kept / 2) : 0;
  const cut = points.length - kept;
  const head = points.slice(0, kept - tail).join("");
  return { text: `${head}${mark(cut)}${points.slice(points.length - tail).join("")}`, cut };
}

function mark(cut: number): string {
  return `\n[… ${cut} characters cut …]\n`;
}
