import type { StoredScore } from "../../stages/score-trajectory.ts";
import type { Trajectory } from "../../trajectory/schema.ts";
import type { SftMessage } from "../sft-messages.ts";
import type { SftRow } from "../sft-row.ts";
import type { Row } from "./write-row.ts";

/** A trajectory on its way into a row. */
export interface Source {
  readonly trajectory: Trajectory;
  readonly score: StoredScore | undefined;
  readonly messages: readonly SftMessage[];
  /** The same as `templateTurns` gives them; lists of `sft` have one entry for each. */
  readonly turns: readonly SftMessage[];
  /** Its row for TRL, of which most others have their common columns. */
  readonly sft: SftRow;
}

/** A row, or why there is none. */
export type Rendering =
  | { readonly kind: "row"; readonly row: Row }
  | { readonly kind: "refused"; readonly reason: string };

export function row(value: Row): Rendering {
  return { kind: "row", row: value };
}

export function refused(reason: string): Rendering {
  return { kind: "refused", reason };
}

/** What the columns that most targets share hold: where the row is from and how it was scored. */
export function originOf({ sft }: Pick<Source, "sft">): Row {
  const { reward, success, id, content_id, task_id, domain, agent, model, format, scorer, tokens } = sft;
  return { reward, success, id, content_id, task_id, domain, agent, model, format, scorer, tokens };
}
