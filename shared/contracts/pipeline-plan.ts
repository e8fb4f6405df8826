import type { CalibrationDocument } from "../calibration/calibration-document.ts";
import type { CriticFiles } from "../critic/critic-document.ts";
import type { DomainProfile } from "../domains/profile.ts";
import type { JudgeConfig } from "../judge/config.ts";
import type { ReadingLimits } from "../reading/limits.ts";
import type { RedactionConfig } from "../redaction/config.ts";
import type { RewardConfig } from "../reward/config.ts";
import type { References } from "../reward/references.ts";
import type { RubricBook } from "../reward/rubrics.ts";
import type { CustomMapping } from "../trajectory/formats/custom-mapping.ts";

/** Settings of a pipeline as plain data, so that they can be handed to a thread, a function or a job. */
export interface PipelinePlan {
  /** Name of the one format everything is read as. */
  readonly forced?: string;
  readonly mappings: readonly CustomMapping[];
  /** Absolute paths of modules that call `registerFormat`. */
  readonly plugins: readonly string[];
  readonly limits: ReadingLimits;
  readonly redaction: RedactionConfig;
  readonly reward: RewardConfig;
  readonly profile?: DomainProfile;
  readonly rubrics?: RubricBook;
  /** How a model judges, where that is set up. */
  readonly judge?: JudgeConfig;
  readonly calibration?: CalibrationDocument;
  readonly references?: References;
  readonly critic?: CriticFiles;
}
