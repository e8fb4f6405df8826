import { parentPort, workerData } from "node:worker_threads";
import { readingLimitsSchema } from "../../shared/reading/limits.ts";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { ingestSettings } from "../../shared/stages/ingest-settings.ts";
import { check } from "./check.ts";
import { fuzzedFormats, loadCorpus } from "./corpus.ts";
import type { FuzzJob, FuzzReport } from "./fuzz.ts";
import { makeMutant } from "./mutant.ts";

const { seed, first, count, progress } = workerData as FuzzJob;
const MOST_FAULTS = 40;

const formats = fuzzedFormats();
const settings = ingestSettings({
  formats,
  limits: readingLimitsSchema.parse({}),
  redaction: redactionConfigSchema.parse({}),
});
const corpus = await loadCorpus(formats);
const totals = { mutants: 0, trajectories: 0, rejections: 0, redactions: 0, planted: 0 };
const faults: string[] = [];
for (let index = first; index < first + count && faults.length < MOST_FAULTS; index += 1) {
  Atomics.store(progress, 0, index);
  const { bytes, description, needle } = makeMutant(corpus, seed, index);
  const verdict = await check({ bytes, needle, settings });
  totals.mutants += 1;
  totals.trajectories += verdict.trajectories;
  totals.rejections += verdict.rejections;
  totals.redactions += verdict.redactions;
  if (needle !== undefined) totals.planted += 1;
  for (const fault of verdict.faults) faults.push(`mutant ${index} (${description}): ${fault}`);
}
const report: FuzzReport = { ...totals, corpus: corpus.description, faults };
parentPort?.postMessage(report);
