import type { Column } from "./column-type.ts";

export type TargetKind = "sft" | "dpo" | "kto" | "grpo" | "prm" | "benchmark";

/**
 * What one row is made of: one trajectory, two attempts at a task, or all attempts at a task.
 * `group`: one row for each attempt, which says of its group what the trainer needs.
 */
export type TargetUnit = "trajectory" | "pair" | "task" | "group";

/** A file format of a trainer. */
export interface Target {
  readonly kind: TargetKind;
  readonly unit: TargetUnit;
  readonly trainer: string;
  /** What it is for, in a sentence. */
  readonly use: string;
  /** What the manifest and events call the format. */
  readonly format: string;
  readonly columns: readonly Column[];
  /** What is written where nothing else is asked for. */
  readonly files: "jsonl" | "parquet";
  /** Further files beside the data. */
  readonly beside?: readonly { readonly name: string; readonly meaning: string }[];
  /** What cannot be said in this format, or is said in an unusual place. */
  readonly notes: readonly string[];
  /** Pages that say which columns the trainer reads. */
  readonly source: readonly string[];
}

/** Why a target is written as Parquet. */
export const ALONE =
  "the trainer loads the files without the card; Parquet says the columns' types, which JSON Lines leave to be guessed";
