/** What `import … from "gymline"` gives: everything that is meant to be used from outside, and nothing else. */

// biome-ignore-all lint/performance/noBarrelFile: a package has one public entry, and no module inside imports it
// biome-ignore-all lint/style/noRestrictedImports: the entry shows the local adapters too

export { DockerSandboxes, type DockerSandboxesOptions } from "./adapters/docker/docker-sandboxes.ts";
export type { EgressOptions } from "./adapters/docker/egress-options.ts";
export { ChildJobs, type ChildJobsOptions } from "./adapters/local/child-jobs.ts";
export { InlineCompute } from "./adapters/local/compute-inline.ts";
export { ComputePool } from "./adapters/local/compute-pool.ts";
export {
  type EmbeddedRun,
  type RunProgress,
  type RunSummary,
  runDrop,
} from "./adapters/local/embedded-run.ts";
export { EpisodeFolder, RunFolderError, type RunPlace } from "./adapters/local/episode-folder.ts";
export { GitRepositories } from "./adapters/local/git-repositories.ts";
export {
  type LocalStore,
  NoStoreError,
  openForReading,
  openForWriting,
} from "./adapters/local/local-store.ts";
export { type PathItem, type RecordPlace, readPaths } from "./adapters/local/read-paths.ts";
export { StoreBusyError } from "./adapters/local/run-lock.ts";
export {
  DropFolderError,
  type PipelineResult,
  type PipelineRun,
  type PipelineSettings,
  pipelinePlan,
  runPipeline,
} from "./adapters/local/run-pipeline.ts";
export { systemClock } from "./adapters/local/system-clock.ts";
export { systemTimers } from "./adapters/local/system-timers.ts";
export { taskSettings } from "./adapters/local/task-settings.ts";
export { readTokenizerFolder } from "./adapters/local/tokenizer-folder.ts";
export { type ModelChoice, modelOf, type ToolChatChoice, toolChatOf } from "./adapters/models/model-of.ts";
export { ModelSettingsError } from "./adapters/models/model-settings-error.ts";
export { type Critic, loadCritic } from "./adapters/onnx/load-critic.ts";
export type { OnnxPrecision } from "./adapters/onnx/model-folder.ts";
export { type OnnxToolChat, type OnnxToolChatOptions, onnxToolChat } from "./adapters/onnx/onnx-tool-chat.ts";
export {
  ProcessSandboxes,
  type ProcessSandboxesOptions,
} from "./adapters/process-sandbox/process-sandboxes.ts";
export { renderPlot } from "./adapters/vega/render-plot.ts";
export {
  type Agent,
  type AgentCall as AgentTurnCall,
  type AgentEpisode,
  AgentError,
  type AgentTurn,
  type EpisodeStart,
  type Observation,
  type TurnTokens,
} from "./agents/agent.ts";
export { AgentSettingsError, type ChatAgentOptions, chatAgent } from "./agents/chat-agent.ts";
export {
  type HarnessBridge,
  HarnessError,
  MINI_SWE_AGENT,
  parseHarnessBridge,
} from "./agents/harness/harness-bridge.ts";
export { type HarnessRequest, type HarnessRun, runHarness } from "./agents/harness/run-harness.ts";
export { ScriptFileError, scriptedAgents } from "./agents/script-file.ts";
export {
  type Script,
  type ScriptedTurn,
  type ScriptMoment,
  scriptedAgent,
} from "./agents/scripted.ts";
export {
  applyCalibration,
  type CalibrationDocument,
  type CalibrationLayer,
  parseCalibration,
} from "./calibration/calibration-document.ts";
export { CalibrationError } from "./calibration/calibration-error.ts";
export {
  type CollectEvent,
  type CollectOptions,
  type CollectResult,
  collect,
  collectParallel,
} from "./collect/collect.ts";
export type { CollectSummary } from "./collect/collect-summary.ts";
export { type EnvRunnerOptions, envRunner } from "./collect/env-runner.ts";
export type { EpisodeEntry } from "./collect/episode-entry.ts";
export type { EpisodeContext, EpisodeOutput, EpisodeRunner } from "./collect/episode-runner.ts";
export { type HarnessPlace, type HarnessRunnerOptions, harnessRunner } from "./collect/harness-runner.ts";
export { MemoryLedger } from "./collect/memory-ledger.ts";
export { CollectPlanError, type EpisodePlan, episodeSeed, planEpisodes } from "./collect/plan-episodes.ts";
export { type ReadTasksOptions, readTasks, TasksFileError } from "./collect/read-tasks.ts";
export { sandboxPlace } from "./collect/sandbox-place.ts";
export { selectTasks, TaskFilterError, type TaskFilters } from "./collect/select-tasks.ts";
export type { CatalogEntry, CatalogRow, ScoreRow, SourcePlace } from "./contracts/catalog-row.ts";
export { type DatasetRequest, datasetRequestSchema } from "./contracts/dataset-request.ts";
export {
  type AgentComparison,
  type AgentFigures,
  type EvaluatedAgent,
  type Evaluation,
  type EvaluationLine,
  type EvaluationMetric,
  type EvaluationProblem,
  evaluationLineSchema,
  evaluationSchema,
} from "./contracts/evaluation.ts";
export { type EvaluationEpisode, evaluationEpisodeSchema } from "./contracts/evaluation-episode.ts";
export { type Feedback, meanFeedback, type NewFeedback } from "./contracts/feedback.ts";
export { type LoopPolicy, loopPolicySchema } from "./contracts/loop.ts";
export type { Condition, Decision } from "./contracts/model.ts";
export type { PipelinePlan } from "./contracts/pipeline-plan.ts";
export { type ProjectConfig, projectConfigSchema } from "./contracts/project-config.ts";
export { type PromotionPolicy, promotionPolicySchema } from "./contracts/promotion-policy.ts";
export { type CriticDocument, CriticError, criticSetNumber } from "./critic/critic-document.ts";
export { criticRun } from "./critic/critic-run.ts";
export type { CriticRun, CriticStep } from "./critic/critic-step.ts";
export { criticSet } from "./critic/critic-table.ts";
export { type CriticValues, criticValues } from "./critic/critic-values.ts";
export { criticFeatureNames, FEATURES_VERSION, PrefixFeatures } from "./critic/features.ts";
export {
  type Contamination,
  type DecontaminationConfig,
  Decontaminator,
  decontaminationSchema,
  type TaskFacts,
} from "./curation/decontaminate.ts";
export { type DuplicatesReport, duplicatesReportSchema } from "./curation/duplicates-report.ts";
export { type EvaluationSet, EvaluationSetError, parseEvaluationSet } from "./curation/evaluation-set.ts";
export {
  defaultGdiWeights,
  type GdiInput,
  type GdiScore,
  type GdiWeights,
  gdiOf,
  gdiScore,
  rankByGdi,
} from "./curation/gdi.ts";
export { NearDuplicates, type Ranked } from "./curation/near-duplicates.ts";
export { type TrajectoryTrace, traceOf } from "./curation/trace.ts";
export {
  type DatasetInput,
  datasetInputSchema,
  type Manifest,
  manifestSchema,
  type WrittenFile,
} from "./dataset/manifest.ts";
export { DatasetCheckError } from "./dataset/quality/check-error.ts";
export {
  CHECKS,
  type CheckId,
  type CheckResult,
  type CheckSettings,
  checksSchema,
} from "./dataset/quality/checks.ts";
export type { PlotRenderer } from "./dataset/quality/plots.ts";
export { type QualityReport, qualityReportSchema } from "./dataset/quality/quality-report.ts";
export { type ChatMessage, type ChatToolCall, type SftMessage, sftMessages } from "./dataset/sft-messages.ts";
export { type SftRow, sftRow } from "./dataset/sft-row.ts";
export type { Target, TargetKind, TargetUnit } from "./dataset/targets/target.ts";
export { TARGETS, type TargetId } from "./dataset/targets/targets.ts";
export { getDomainProfile, isBuiltinDomain, listDomainProfiles } from "./domains/builtin.ts";
export { chooseDomain, type DomainChoice } from "./domains/choose-domain.ts";
export {
  type DomainProfile,
  DomainProfileError,
  parseDomainProfile,
  type ToolCategory,
  type ToolSpec,
} from "./domains/profile.ts";
export { builtinEnvs } from "./env/builtin-envs.ts";
export type { CheckOptions } from "./env/check/check-bench.ts";
export { type CheckReport, checkEnv, type Finding as CheckFinding } from "./env/check/check-env.ts";
export { type ConversationEnvOptions, conversationEnv } from "./env/conversation/conversation-env.ts";
export type { ConversationState } from "./env/conversation/conversation-state.ts";
export { type ConversationTask, conversationTaskSchema } from "./env/conversation/conversation-task.ts";
export { type Criterion, criterionSchema } from "./env/conversation/criteria.ts";
export { type ConversationTool, mockTools } from "./env/conversation/mock-tools.ts";
export type {
  MakeUser,
  SimulatedUser,
  UserModel,
  UserReply,
} from "./env/conversation/simulated-user.ts";
export {
  type BegunEpisode,
  defineEnv,
  defineTool,
  type EnvDefinition,
  type EpisodeStartContext,
  type EpisodeTool,
  type ToolContext,
  type ToolResult,
} from "./env/define-env.ts";
export { envSpec, envs, listEnvs, makeEnv, registerEnv } from "./env/envs.ts";
export {
  type Action,
  type AgentEnv,
  EnvFaultError,
  EnvTaskError,
  type EnvTool,
  ProtocolError,
  type ResetOptions,
  type StepInfo,
  type TimeStep,
  type ToolDefinition,
  type Verdict,
} from "./env/protocol.ts";
export {
  EnvOptionsError,
  type EnvPorts,
  type EnvRegistration,
  EnvRegistrationError,
  EnvRegistry,
  type EnvSpec,
  type MakeOptions,
  UnknownEnvError,
} from "./env/registry.ts";
export type { EpisodeCounts, EpisodeFailure, EpisodeResult } from "./env/rollout/episode-result.ts";
export { type EpisodeLimits, type EpisodeRequest, runEpisode } from "./env/rollout/run-episode.ts";
export type { TextTurns } from "./env/rollout/speech.ts";
export { SandboxEnv, type SandboxEnvOptions, sandboxEnv } from "./env/sandbox-env.ts";
export { type SandboxTask, sandboxTaskSchema } from "./env/sandbox-task.ts";
export { type EnvTask, envTaskSchema } from "./env/task.ts";
export { timeStep } from "./env/time-step.ts";
export { toolDefinition } from "./env/tool-schema.ts";
export { CostLimit, type CostLimitOptions } from "./env/wrappers/cost-limit.ts";
export { EnvWrapper, type Wrap, wrapEnv } from "./env/wrappers/env-wrapper.ts";
export { type EpisodeFigures, EpisodeStatistics } from "./env/wrappers/episode-statistics.ts";
export { MaxSteps } from "./env/wrappers/max-steps.ts";
export {
  ObservationTruncate,
  type ObservationTruncateOptions,
} from "./env/wrappers/observation-truncate.ts";
export { Recorder, type RecorderOptions } from "./env/wrappers/recorder.ts";
export { Retry, type RetryOptions } from "./env/wrappers/retry.ts";
export { Reward, type RewardFn, type RewardSource } from "./env/wrappers/reward.ts";
export { EnvTimeoutError, Timeout, type TimeoutOptions } from "./env/wrappers/timeout.ts";
export type { AgentEpisodes, PlannedEpisode } from "./evaluation/agent-episodes.ts";
export { combineEvaluations } from "./evaluation/combine.ts";
export { type ComparedAgents, compareAgents } from "./evaluation/compare-agents.ts";
export {
  type AgentEvaluation,
  type EvaluatedEnvAgent,
  type EvaluationPorts,
  evaluateAgent,
  evaluateRunner,
} from "./evaluation/evaluate-agent.ts";
export { EvaluationError } from "./evaluation/evaluation-error.ts";
export { type EvaluationParts, type EvaluationSubject, evaluationOf } from "./evaluation/evaluation-of.ts";
export { evaluationHtml } from "./evaluation/html.ts";
export { evaluationMarkdown } from "./evaluation/markdown.ts";
export type { ComparisonSettings } from "./evaluation/settings.ts";
export { readEvaluation, resolveEvaluation, storeEvaluation } from "./evaluation/stored-evaluation.ts";
export { ModelFolderError } from "./inference/model-config.ts";
export type { ToolSyntax } from "./inference/tool-calls/syntax.ts";
export {
  type JudgeConfig,
  JudgeConfigError,
  type JudgeConfigInput,
  parseJudgeConfig,
} from "./judge/config.ts";
export { parseSingleJudgement } from "./judge/parse-single.ts";
export { compareGroups, type GroupComparison } from "./leaderboard/compare-groups.ts";
export type { Difference } from "./leaderboard/difference.ts";
export {
  type Leaderboard,
  type LeaderboardOptions,
  type LeaderboardRun,
  leaderboard,
  type RankedGroup,
} from "./leaderboard/leaderboard.ts";
export type { EvaluatedRun, LoopWorks, TrainedModel } from "./loop/works.ts";
export {
  type Added,
  type Catalog,
  type DatasetEntry,
  type DatasetRecord,
  type DatasetUse,
  type FeedbackSet,
  type Fence,
  FencedError,
  type Forgotten,
  ForgottenMeanwhileError,
  type Known,
  type NewTrajectory,
  type ObjectState,
  type ScoreSet,
  type Selection,
} from "./ports/catalog.ts";
export {
  type ChatAnswer,
  type ChatModel,
  ChatModelError,
  type ChatRequest,
  type ChatTurn,
  type TokenUsage,
} from "./ports/chat-model.ts";
export type { Clock } from "./ports/clock.ts";
export {
  type Compute,
  type ComputedRecord,
  type ComputedScore,
  type ComputedTrajectory,
  ComputeLostError,
  type RefusedRow,
  type RenderedRow,
  type RowTask,
} from "./ports/compute.ts";
export type { EpisodeDocument, EpisodeLedger } from "./ports/episode-ledger.ts";
export type { Ledger, LedgerEntry } from "./ports/ledger.ts";
export { ObjectNotFoundError, type ObjectStore, type ObjectWriter } from "./ports/object-store.ts";
export {
  type Checkout,
  type CheckoutRequest,
  type Repositories,
  RepositoryError,
} from "./ports/repositories.ts";
export {
  type ExecRequest,
  type ExecResult,
  type RefusedTarget,
  type Sandbox,
  SandboxError,
  type Sandboxes,
  type SandboxFile,
  type SandboxLimits,
  type SandboxSpec,
  type SandboxSummary,
} from "./ports/sandbox.ts";
export type { Timers } from "./ports/timers.ts";
export type {
  ToolChat,
  ToolChatAnswer,
  ToolChatCall,
  ToolChatMessage,
  ToolChatRequest,
  ToolChatResult,
} from "./ports/tool-chat.ts";
export { type ValueModel, ValueModelError } from "./ports/value-model.ts";
export type { Attempt, AttemptPair, PairSource, TaskAttempts } from "./preferences/attempt.ts";
export type { BranchOptions, BranchPair } from "./preferences/branch-tree.ts";
export { type CollectedAttempts, collectAttempts } from "./preferences/collect-attempts.ts";
export { type DecisionPath, decisionPath } from "./preferences/decision-path.ts";
export {
  type PreferenceInput,
  type Preferences,
  stepPreferences,
  type TrajectoryRequest,
  trajectoryPreferences,
} from "./preferences/make-preferences.ts";
export { type PairingOptions, pairingOptionsSchema } from "./preferences/options.ts";
export { withMessages } from "./preferences/pair-messages.ts";
export { pairTask, type TaskPairs } from "./preferences/pair-task.ts";
export { type PreferenceRow, preferenceRowSchema } from "./preferences/preference-row.ts";
export { type PreferenceSummaryDocument, preferenceSummarySchema } from "./preferences/summary.ts";
export { type VotedPair, votedPairSchema } from "./preferences/votes.ts";
export { type ReadingLimits, readingLimitsSchema } from "./reading/limits.ts";
export { type Rejection, rejectionSchema } from "./reading/rejection.ts";
export type { ByteSource, SourceRecord } from "./reading/source.ts";
export { type RedactionConfig, redactionConfigSchema } from "./redaction/config.ts";
export type { Detector, Finding } from "./redaction/detector.ts";
export { RedactionError } from "./redaction/errors.ts";
export { type RedactedText, redactTextFile, type TextFinding } from "./redaction/redact-text-file.ts";
export { redactTrajectory } from "./redaction/redact-trajectory.ts";
export type { RedactionSession } from "./redaction/redaction-session.ts";
export { createRedactor, type Redactor } from "./redaction/redactor.ts";
export { type Contest, decide } from "./registry/gate.ts";
export {
  archiveModel,
  ModelStateError,
  promoteModel,
  registerModel,
  rejectModel,
  rollBackModel,
  StaleDecisionError,
  showModel,
  UnknownModelError,
} from "./registry/registry.ts";
export {
  parseRewardConfig,
  type RewardConfig,
  RewardConfigError,
  type RewardConfigInput,
} from "./reward/config.ts";
export { factSteps } from "./reward/fact-steps.ts";
export {
  buildReferences,
  parseReferences,
  type Reference,
  type References,
  ReferencesError,
  referenceFor,
  referencesSchema,
  type SizeRow,
  trajectorySizes,
} from "./reward/references.ts";
export {
  makeHistoryRewardFn,
  makeRewardFn,
  type RewardFnSettings,
  type StepCorrection,
  type StepReward,
  UnknownDomainError,
} from "./reward/reward-fn.ts";
export { parseRubrics, RubricError } from "./reward/rubric-book.ts";
export {
  builtinRubrics,
  type Evaluator,
  type Rubric,
  type RubricBook,
  rubricSetForDomain,
  rubricsOf,
} from "./reward/rubrics.ts";
export type { RuleCall, RuleStep } from "./reward/rule-step.ts";
export {
  type CallScore,
  type ScoreDocument,
  type ScoreLayer,
  type ScoreReason,
  type StepScore,
  scoreDocumentSchema,
} from "./reward/score-document.ts";
export { type ScoreRequest, scoreTrajectoryByRules } from "./reward/score-rules.ts";
export { scorerId } from "./reward/scorer-id.ts";
export type { Signal, SignalCode, SignalInput } from "./reward/signals/signal.ts";
export {
  combineSignals,
  type SignalsConfig,
  signalsConfigSchema,
  trajectorySignals,
} from "./reward/signals/trajectory-signals.ts";
export type { ModelScores } from "./reward/step-score.ts";
export { type FactStep, type TrajectoryFacts, trajectoryFacts } from "./reward/trajectory-facts.ts";
export { type AllowList, AllowListError, allowedTargets } from "./sandbox/allow-list.ts";
export {
  type ReplayDifference,
  type ReplayedCall,
  type ReplayOptions,
  type ReplayReport,
  replayTrajectory,
} from "./sandbox/replay.ts";
export { sandboxSpec } from "./sandbox/sandbox-limits.ts";
export { WarmPool, type WarmPoolOptions } from "./sandbox/warm-pool.ts";
export type { TaskSettings } from "./stages/compute-tasks.ts";
export { type ExportPorts, type ExportResult, exportDataset } from "./stages/export.ts";
export { type FeedbackCounts, giveFeedback, giveVersionFeedback } from "./stages/give-feedback.ts";
export type { IngestedItem, IngestReport } from "./stages/ingest.ts";
export { type IngestedRecord, type IngestedTrajectory, ingestRecord } from "./stages/ingest-record.ts";
export { type IngestSettings, ingestSettings, UnknownFormatError } from "./stages/ingest-settings.ts";
export { abandonBatch } from "./stages/judge/abandon.ts";
export { type CollectReport, judgeCollect, type OpenBatch, openBatches } from "./stages/judge/collect.ts";
export { forecastJudging, type JudgeForecast } from "./stages/judge/forecast.ts";
export { type JudgedPair, judgePairs, type PairVerdictRow } from "./stages/judge/pairs.ts";
export type { JudgePorts, JudgeReadPorts, JudgeSettings } from "./stages/judge/ports.ts";
export { judgeRepeats, type RepeatReport } from "./stages/judge/repeat.ts";
export { JudgePriceError } from "./stages/judge/spend.ts";
export { type JudgeRequest, judgeSubmit, selectedIds } from "./stages/judge/submit.ts";
export type { JudgeReport } from "./stages/judge/tally.ts";
export {
  datasetPublished,
  jobChanged,
  type LoopsPorts,
  RedriveLoopError,
  redriveLoop,
  sweepLoops,
} from "./stages/loop.ts";
export {
  type ScoredTrajectory,
  type ScoreSettings,
  type StoredScore,
  scoreTrajectory,
  storedScoreSchema,
} from "./stages/score-trajectory.ts";
export { benjaminiHochbergAdjusted } from "./statistics/benjamini-hochberg.ts";
export { bonferroniAdjusted } from "./statistics/bonferroni.ts";
export type { BootstrapOptions } from "./statistics/bootstrap.ts";
export { bootstrapMeans, type ClusteredValues } from "./statistics/bootstrap-means.ts";
export { clusterBootstrap } from "./statistics/cluster-bootstrap.ts";
export { cohensD, cohensDz, type EffectSizeOptions } from "./statistics/cohens-d.ts";
export type { Comparison, ComparisonOptions, EffectName, Test, TestName } from "./statistics/comparison.ts";
export type { Alternative } from "./statistics/distributions.ts";
export { holmAdjusted } from "./statistics/holm.ts";
export { StatisticsInputError } from "./statistics/inputs.ts";
export { type MannWhitneyOptions, mannWhitney } from "./statistics/mann-whitney.ts";
export { type McNemarOptions, mcnemar } from "./statistics/mcnemar.ts";
export { mcnemarPower } from "./statistics/mcnemar-power.ts";
export { mean } from "./statistics/mean.ts";
export { type NeededN, neededN } from "./statistics/needed-n.ts";
export { type PairedOutcomes, pairedOutcomes } from "./statistics/paired-outcomes.ts";
export { pairedRiskDifference } from "./statistics/paired-risk-difference.ts";
export { type MeanTestOptions, pairedT } from "./statistics/paired-t.ts";
export { type AttemptCounts, passAtK } from "./statistics/pass-at-k.ts";
export {
  type Power,
  type PowerOptions,
  pairedMeansPower,
  twoMeansPower,
  twoProportionsPower,
} from "./statistics/power.ts";
export type { Estimate, Interval, LevelOption, PValue, WhyUndefined } from "./statistics/result.ts";
export {
  createSequentialTest,
  type SequentialOptions,
  type SequentialTest,
  type SequentialVerdict,
  sequentialTest,
} from "./statistics/sequential-test.ts";
export { signFlipTest } from "./statistics/sign-flip.ts";
export {
  type SuccessCount,
  type TwoProportionsOptions,
  twoProportions,
} from "./statistics/two-proportions.ts";
export { studentT, welchT } from "./statistics/unpaired-t.ts";
export { type WilcoxonOptions, wilcoxonSignedRank } from "./statistics/wilcoxon.ts";
export { proportion } from "./statistics/wilson.ts";
export { type CountedBy, type TokenCounter, tokenCounter } from "./tokenizer/token-counter.ts";
export { TokenizerError, type TokenizerFiles, type TokenizerReader } from "./tokenizer/tokenizer-files.ts";
export { type AgentCall, type AgentStep, agentSteps } from "./trajectory/agent-steps.ts";
export {
  type AgentInput,
  type CallInput,
  type MessageInput,
  type ResultInput,
  TrajectoryBuilder,
} from "./trajectory/builder.ts";
export { contentText } from "./trajectory/content.ts";
export type { Attachment, Draft } from "./trajectory/draft.ts";
export { ConversionError, type Detection, type Format, type FormatInput } from "./trajectory/format.ts";
export { builtinFormats } from "./trajectory/formats/builtin.ts";
export { createCustomFormat } from "./trajectory/formats/custom.ts";
export {
  type CustomMapping,
  customMappingSchema,
  MappingError,
  parseCustomMapping,
} from "./trajectory/formats/custom-mapping.ts";
export type {
  CallExtra,
  Fidelity,
  GymlineExtra,
  LintWarning,
  Outcome,
  Provenance,
  RedactionReport,
  ResultExtra,
  StepExtra,
  Task,
} from "./trajectory/gymline-extra.ts";
export { type ContentIdentity, contentIdentity, recordId } from "./trajectory/identity.ts";
export { trajectoryJsonSchema } from "./trajectory/json-schema.ts";
export {
  DuplicateFormatError,
  detectFormat,
  type FormatChoice,
  registeredFormats,
  registerFormat,
} from "./trajectory/registry.ts";
export {
  ATIF_VERSION,
  type AtifTrajectory,
  atifSchema,
  type Content,
  type ContentPart,
  type Metrics,
  type ObservationResult,
  type Step,
  stepSchema,
  type ToolCall,
  type Trajectory,
  trajectorySchema,
} from "./trajectory/schema.ts";
