import { z } from "zod";

/** Faults that say what to do: their message is enough, a stack would only hide it. */
const EXPECTED: ReadonlySet<string> = new Set([
  "UsageError",
  "UnknownVersionError",
  "ManifestError",
  "NoManifestError",
  "DatasetInputsError",
  "AwsAccessError",
  "DeploymentError",
  "StoreBusyError",
  "DropFolderError",
  "NoStoreError",
  "CatalogVersionError",
  "CatalogFileError",
  "StoredFormatError",
  "ObjectNotFoundError",
  "ComputeStoppedError",
  "ExportError",
  "DatasetCheckError",
  "DatasetFileError",
  "PublishError",
  "CurationError",
  "TokenizerError",
  "EvaluationSetError",
  "EvaluationError",
  "PluginError",
  "UnknownFormatError",
  "MappingError",
  "DomainProfileError",
  "RewardConfigError",
  "CalibrationError",
  "RubricError",
  "ReferencesError",
  "DuplicateFormatError",
  "DeploymentConfigError",
  "RedriveError",
  "JudgeConfigError",
  "JudgePriceError",
  "JudgeStoppedError",
  "ModelSettingsError",
  "ModelSecretError",
  "ChatModelError",
  "LabelsFileError",
  "VotingServiceError",
  "LedgerBusyError",
  "CriticError",
  "DamagedObjectError",
  "ValueModelError",
  "ModelFolderError",
  "InferenceError",
  "AgentSettingsError",
  "ScriptFileError",
  "RunFolderError",
  "RolloutPlanError",
  "RolloutModelError",
  "ShardError",
  "ModelServerError",
  "CollectPlanError",
  "TasksFileError",
  "TaskFilterError",
  "HarnessError",
  "UnknownEnvError",
  "EnvOptionsError",
  "EnvTaskError",
  "SessionError",
  "SandboxError",
  "CommandFailedError",
  "RepositoryError",
  "ModelStateError",
  "UnknownModelError",
  "StaleDecisionError",
  "RedriveLoopError",
  "OnlineError",
  "TrainingBusyError",
]);

/** What the file system refuses, and what to do about it: no fault of the program. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["EACCES", "give yourself the right to write there, or use another folder"],
  ["EPERM", "give yourself the right to write there, or use another folder"],
  ["EROFS", "the file system is read-only; use another folder"],
  ["ENOSPC", "free some space; what was done is kept"],
  ["EDQUOT", "free some space; what was done is kept"],
]);

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}

export function isExpected(error: unknown): boolean {
  return error instanceof Error && (EXPECTED.has(error.name) || REFUSALS.has(codeOf(error)));
}

export function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return `a stored file is not what it should be: ${z.prettifyError(error)}`;
  if (!(error instanceof Error)) return String(error);
  const remedy = EXPECTED.has(error.name) ? undefined : REFUSALS.get(codeOf(error));
  return remedy === undefined ? error.message : `${error.message}; ${remedy}`;
}
