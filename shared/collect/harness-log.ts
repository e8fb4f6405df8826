import { HarnessError } from "../agents/harness/harness-bridge.ts";
import { ConversionError, type Format } from "../trajectory/format.ts";
import type { TokenCounts } from "./episode-entry.ts";

/** What a harness's log says of its episode. */
export interface HarnessFacts {
  readonly turns: number;
  readonly calls: number;
  readonly tokens: TokenCounts | null;
  readonly costUsd: number | null;
  /** In the harness's own word; null where it says none. */
  readonly exitStatus: string | null;
}

/** @throws HarnessError where it is no log of that format */
export function harnessFacts(log: Uint8Array, format: Format): HarnessFacts {
  const value = jsonOf(log, format);
  const seen = format.detect(value);
  if (!seen.match) {
    throw new HarnessError(
      `The log is none of the format ${format.name}: there is no ${seen.missing.join(", ")}`,
    );
  }
  try {
    const [draft] = format.convert({ value, variant: seen.variant, stem: "log" });
    if (draft === undefined) throw new HarnessError("There is no trajectory in the log");
    const { document, outcome } = draft;
    const agent = document.steps.filter(({ source }) => source === "agent");
    const sums = { prompt: 0, cached: 0, output: 0, usd: 0 };
    for (const { metrics } of agent) {
      sums.prompt += metrics?.prompt_tokens ?? 0;
      sums.cached += metrics?.cached_tokens ?? 0;
      sums.output += metrics?.completion_tokens ?? 0;
      sums.usd += metrics?.cost_usd ?? 0;
    }
    const usd = document.final_metrics?.total_cost_usd ?? sums.usd;
    return {
      turns: agent.length,
      calls: agent.reduce((sum, { tool_calls }) => sum + (tool_calls?.length ?? 0), 0),
      tokens:
        sums.prompt + sums.output === 0
          ? null
          : {
              input: Math.max(0, sums.prompt - sums.cached),
              cacheRead: sums.cached,
              cacheWrite: 0,
              output: sums.output,
            },
      costUsd: usd > 0 ? usd : null,
      exitStatus: outcome.exit_status ?? null,
    };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new HarnessError(`The log cannot be read as ${format.name}: ${error.message}`, { cause: error });
  }
}

function jsonOf(log: Uint8Array, { name }: Format): unknown {
  const text = new TextDecoder().decode(log);
  try {
    return JSON.parse(text);
  } catch (error) {
    // Its message quotes the log.
    if (!(error instanceof SyntaxError)) throw error;
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  try {
    return lines.map((line): unknown => JSON.parse(line));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new HarnessError(`The log is no JSON, and so none of the format ${name}; it may have been cut off`);
  }
}

/**
 * The log with facts put before its own fields; what follows is its own text, byte by byte. Fields that the log has
 * itself come later and win.
 */
export function labelledLog(log: Uint8Array, facts: Readonly<Record<string, unknown>>): Uint8Array {
  const text = new TextDecoder().decode(log);
  const open = text.indexOf("{");
  if (open < 0 || text.slice(0, open).trim() !== "") return log;
  const label = JSON.stringify(facts).slice(0, -1);
  const rest = text.slice(open + 1);
  const comma = rest.trimStart().startsWith("}") ? "" : ",";
  return new TextEncoder().encode(`${label}${comma}${rest}`);
}
