import { z } from "zod";

/** Faults that say what to do: their message is enough, a stack would only hide it. */
const EXPECTED: ReadonlySet<string> = new Set([
  "UsageError",
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
  "ChatModelError",
  "LabelsFileError",
  "VotingServiceError",
  "LedgerBusyError",
  "CriticError",
  "DamagedObjectError",
  "ValueModelError",
]);

export function isExpected(error: unknown): boolean {
  return error instanceof Error && EXPECTED.has(error.name);
}

export function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return `a stored file is not what it should be: ${z.prettifyError(error)}`;
  return error instanceof Error ? error.message : String(error);
}
