import type { Command } from "commander";

/** Adds a command to the program. */
type Add = (program: Command) => void;

/** Each command by its name, in the order of the help. What a command needs is loaded with it and not before. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  collect: async () => (await import("./commands/collect.ts")).addCollect,
  rollout: async () => (await import("./commands/rollout.ts")).addRollout,
  run: async () => (await import("./commands/run.ts")).addRun,
  drop: async () => (await import("./commands/drop.ts")).addDrop,
  export: async () => (await import("./commands/export.ts")).addExport,
  datasets: async () => (await import("./commands/datasets.ts")).addDatasets,
  quality: async () => (await import("./commands/quality.ts")).addQuality,
  publish: async () => (await import("./commands/publish.ts")).addPublish,
  duplicates: async () => (await import("./commands/duplicates.ts")).addDuplicates,
  list: async () => (await import("./commands/list.ts")).addList,
  show: async () => (await import("./commands/show.ts")).addShow,
  diff: async () => (await import("./commands/diff.ts")).addDiff,
  trace: async () => (await import("./commands/trace.ts")).addTrace,
  annotate: async () => (await import("./commands/annotate.ts")).addAnnotate,
  votes: async () => (await import("./commands/votes.ts")).addVotes,
  feedback: async () => (await import("./commands/feedback.ts")).addFeedback,
  forget: async () => (await import("./commands/forget.ts")).addForget,
  reprocess: async () => (await import("./commands/reprocess.ts")).addReprocess,
  judge: async () => (await import("./commands/judge.ts")).addJudge,
  validate: async () => (await import("./commands/validate.ts")).addValidate,
  convert: async () => (await import("./commands/convert.ts")).addConvert,
  score: async () => (await import("./commands/score.ts")).addScore,
  evaluate: async () => (await import("./commands/evaluate.ts")).addEvaluate,
  compare: async () => (await import("./commands/compare.ts")).addCompare,
  leaderboard: async () => (await import("./commands/leaderboard.ts")).addLeaderboard,
  preferences: async () => (await import("./commands/preferences.ts")).addPreferences,
  calibrate: async () => (await import("./commands/calibrate.ts")).addCalibrate,
  critic: async () => (await import("./commands/critic.ts")).addCritic,
  train: async () => (await import("./commands/train.ts")).addTrain,
  "eval-model": async () => (await import("./commands/train.ts")).addEvalModel,
  models: async () => (await import("./commands/models.ts")).addModels,
  online: async () => (await import("./commands/online.ts")).addOnline,
  redact: async () => (await import("./commands/redact.ts")).addRedact,
  formats: async () => (await import("./commands/formats.ts")).addFormats,
  domains: async () => (await import("./commands/domains.ts")).addDomains,
  sandbox: async () => (await import("./commands/sandbox.ts")).addSandbox,
  references: async () => (await import("./commands/references.ts")).addReferences,
  rubrics: async () => (await import("./commands/rubrics.ts")).addRubrics,
  schema: async () => (await import("./commands/schema.ts")).addSchema,
  doctor: async () => (await import("./commands/doctor.ts")).addDoctor,
  status: async () => (await import("./commands/status.ts")).addStatus,
  redrive: async () => (await import("./commands/redrive.ts")).addRedrive,
  "request-export": async () => (await import("./commands/request-export.ts")).addRequestExport,
  "deploy-check": async () => (await import("./commands/deploy-check.ts")).addDeployCheck,
  cost: async () => (await import("./commands/cost.ts")).addCost,
  mcp: async () => (await import("./commands/mcp.ts")).addMcp,
  job: async () => (await import("./commands/job.ts")).addJob,
};

/** Adds the command that these arguments call; where they call none, all of them, for the help and for hints. */
export async function addCommands(program: Command, args: readonly string[]): Promise<void> {
  const name = args.find((arg) => !arg.startsWith("-")) ?? "";
  const called = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const loads = called === undefined ? Object.values(COMMANDS) : [called];
  for (const add of await Promise.all(loads.map((load) => load()))) add(program);
}
