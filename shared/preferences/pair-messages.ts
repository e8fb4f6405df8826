import { type SftMessage, sftMessages } from "../dataset/sft-messages.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import type { PreferenceRow } from "./preference-row.ts";

type Steps = Pick<Trajectory, "steps">;

/**
 * The row with its texts as chat messages. A pair of trajectories has both conversations from the start; a pair of
 * steps has what came before as the chosen trajectory tells it, and each side's message of the step.
 */
export function withMessages(
  row: PreferenceRow,
  of: { readonly chosen: Steps; readonly rejected: Steps },
): PreferenceRow {
  const [chosen, rejected] = [sftMessages(of.chosen), sftMessages(of.rejected)];
  if (row.level === "trajectory") {
    return {
      ...row,
      chosen: { ...row.chosen, messages: plain(chosen) },
      rejected: { ...row.rejected, messages: plain(rejected) },
    };
  }
  const start = chosen.findIndex(({ agentStep }) => agentStep === row.chosen.step);
  return {
    ...row,
    prefix: { ...row.prefix, messages: plain(chosen.slice(0, Math.max(0, start))) },
    chosen: { ...row.chosen, messages: plain(ofStep(chosen, row.chosen.step)) },
    rejected: { ...row.rejected, messages: plain(ofStep(rejected, row.rejected.step)) },
  };
}

function ofStep(messages: readonly SftMessage[], step: number): readonly SftMessage[] {
  return messages.filter(({ agentStep }) => agentStep === step);
}

function plain(messages: readonly SftMessage[]): Record<string, unknown>[] {
  return messages.map(({ message }) => ({ ...message }));
}
