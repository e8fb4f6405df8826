import type { Anchors } from "./anchor-lists.ts";

/** A span of text to redact: UTF-16 offsets, end exclusive. */
export interface Finding {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** What a detector gets: the text and the places the prefilter found worth a look. */
export interface DetectorInput {
  readonly text: string;
  readonly anchors: Anchors;
  readonly add: (finding: Finding) => void;
}

/** One detector; `detect` must be linear in the text and must not look at it without an anchor. */
export interface Detector {
  readonly name: string;
  readonly detect: (input: DetectorInput) => void;
}
