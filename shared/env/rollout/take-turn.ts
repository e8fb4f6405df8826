import type { AgentCall, AgentTurn, Observation } from "../../agents/agent.ts";
import type { AgentEnv, TimeStep } from "../protocol.ts";
import { actionOf, type EpisodeRecord, type RecordedTurn } from "./episode-record.ts";
import type { EpisodeFailure } from "./episode-result.ts";
import type { Faults } from "./faults.ts";
import { nudgeOf, type TextTurns } from "./speech.ts";
import type { Tally } from "./tally.ts";

interface Turn {
  readonly turn: AgentTurn;
  readonly env: AgentEnv;
  readonly record: EpisodeRecord;
  readonly tally: Tally;
  readonly faults: Faults;
  readonly speech: TextTurns;
  readonly signal: AbortSignal | undefined;
}

/** What a turn led to. */
type Taken =
  | { readonly kind: "done"; readonly step: TimeStep }
  | { readonly kind: "failed"; readonly failure: EpisodeFailure }
  | {
      readonly kind: "next";
      readonly observations: readonly Observation[];
      /** What is said to the agent beside results, for the record. */
      readonly said: readonly { readonly text: string; readonly by?: "gymline" }[];
      readonly nudged: boolean;
      /** The agent wants no more. */
      readonly ends: boolean;
    };

/** Carries out a turn and records it, failures included. */
export async function takeTurn(parts: Turn): Promise<Taken> {
  const recorded = parts.record.turn(parts.turn);
  return parts.turn.calls.length > 0 ? await calls(parts, recorded) : await speech(parts, recorded);
}

async function calls(parts: Turn, recorded: RecordedTurn): Promise<Taken> {
  const { turn, record, tally, faults } = parts;
  const observations: Observation[] = [];
  /** Every call has an answer in the record, also those after the one that ended the episode. */
  const refuseFrom = (index: number, text: string): void => {
    for (let rest = index; rest < turn.calls.length; rest += 1)
      record.refused(recorded, { index: rest, text });
  };
  for (const [index, call] of turn.calls.entries()) {
    if (call.rawArguments !== undefined) {
      const text = `Error: the arguments of ${call.tool} are no JSON object; write them anew`;
      record.refused(recorded, { index, text });
      tally.unreadable();
      observations.push(resultOf(call, { text, isError: true }));
      continue;
    }
    let step: TimeStep;
    try {
      step = await stepWith(parts, { call, first: index === 0 });
    } catch (error) {
      const failure = faults.environment(error, "step");
      refuseFrom(index, "Error: not carried out, the environment failed");
      return { kind: "failed", failure };
    }
    record.result(recorded, { index, step });
    if (step.done) {
      refuseFrom(index + 1, "Error: not carried out, the episode had ended");
      return { kind: "done", step };
    }
    observations.push(resultOf(call, { text: step.observation, isError: step.info.error !== undefined }));
  }
  return { kind: "next", observations, said: [], nudged: false, ends: false };
}

/** An answer without calls: said to the user, or to nobody. */
async function speech(parts: Turn, recorded: RecordedTurn): Promise<Taken> {
  const { turn, env, record, faults } = parts;
  if (parts.speech === "end") return { ...heard("", { nudged: false }), ends: true };
  const nudge = nudgeOf(env);
  if (parts.speech === "nudge" || turn.message.trim() === "") return heard(nudge, { nudged: true });
  let step: TimeStep;
  try {
    const call = { id: "", tool: "respond", params: { message: turn.message } };
    step = await stepWith(parts, { call, first: true });
  } catch (error) {
    return { kind: "failed", failure: faults.environment(error, "step") };
  }
  record.spoken(recorded, step);
  if (step.done) {
    // What the user said last is part of the conversation, though nobody will answer it.
    if (step.info.userMessage !== undefined) record.user(step.info.userMessage);
    return { kind: "done", step };
  }
  if (step.info.userMessage !== undefined) return heard(step.info.userMessage, { nudged: false });
  return heard(step.info.error === undefined ? nudge : step.observation, { nudged: true });
}

function heard(
  text: string,
  { nudged }: { readonly nudged: boolean },
): Extract<Taken, { readonly kind: "next" }> {
  return {
    kind: "next",
    observations: [{ kind: "user", text }],
    said: [nudged ? { text, by: "gymline" } : { text }],
    nudged,
    ends: false,
  };
}

async function stepWith(
  { turn, env, tally, signal }: Turn,
  { call, first }: { readonly call: AgentCall; readonly first: boolean },
): Promise<TimeStep> {
  const costUsd = first ? turn.costUsd : undefined;
  const step = await env.step(actionOf(call, { thought: turn.message, costUsd }), signal);
  tally.step(step);
  return step;
}

function resultOf(
  call: AgentCall,
  { text, isError }: { readonly text: string; readonly isError: boolean },
): Observation {
  return { kind: "result", callId: call.id, tool: call.tool, text, isError };
}
