/** What the catalog knows of a stored trajectory: all that selection and ranking need, without its text. */
export interface CatalogRow {
  readonly id: string;
  readonly contentId: string;
  /** Revision of the current document. */
  readonly revision: string;
  /** Groups attempts at one task: the task id, else `first-message:<hash>`. */
  readonly taskKey: string;
  readonly taskId: string | null;
  readonly repo: string | null;
  readonly domain: string;
  readonly format: string;
  readonly agent: string;
  readonly model: string | null;
  /** null: the source has no verdict. */
  readonly success: boolean | null;
  readonly outcomeScore: number | null;
  readonly steps: number;
  readonly agentSteps: number;
  readonly calls: number;
  readonly redactions: number;
  readonly warnings: number;
  readonly tokens: "token_exact" | "text_only";
  readonly sourceBytes: number;
  readonly startedAt: string | null;
}

export interface ScoreRow {
  readonly scorer: string;
  /** Total reward in [0, 1]; null where no layer could score. */
  readonly reward: number | null;
  readonly process: number | null;
  readonly outcome: number | null;
  readonly efficiency: number | null;
}

/** A catalog row with its current score and what happened to it since. */
export interface CatalogEntry extends CatalogRow, Omit<ScoreRow, "scorer"> {
  readonly scorer: string | null;
  readonly feedback: number | null;
  readonly exportCount: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly supersededBy: string | null;
}

/** One place a trajectory was dropped at. */
export interface SourcePlace {
  readonly key: string;
  readonly project: string;
  readonly entry: string | null;
  readonly index: number;
  readonly line: number | null;
  readonly jsonPath: string | null;
  /** Which of the record's trajectories, from 0. */
  readonly ordinal: number;
}
