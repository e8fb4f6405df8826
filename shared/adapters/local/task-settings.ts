import { pathToFileURL } from "node:url";
import { applyCalibration, type CalibrationDocument } from "../../calibration/calibration-document.ts";
import type { PipelinePlan } from "../../contracts/pipeline-plan.ts";
import { type CriticFiles, criticSetNumber } from "../../critic/critic-document.ts";
import { criticRunOf } from "../../critic/critic-run.ts";
import { criticSet } from "../../critic/critic-table.ts";
import { criticValues } from "../../critic/critic-values.ts";
import type { Calibration } from "../../reward/readings.ts";
import { referenceBook } from "../../reward/references.ts";
import type { TaskSettings } from "../../stages/compute-tasks.ts";
import { ingestSettings } from "../../stages/ingest-settings.ts";
import type { ScoreSettings } from "../../stages/score-trajectory.ts";
import type { Format } from "../../trajectory/format.ts";
import { builtinFormats } from "../../trajectory/formats/builtin.ts";
import { createCustomFormat } from "../../trajectory/formats/custom.ts";
import { registeredFormats } from "../../trajectory/registry.ts";
import type { Critic } from "../onnx/load-critic.ts";

/** A plugin module could not be loaded. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`the plugin ${path} could not be loaded: ${why}`, { cause });
  }
}

/** All formats of a plan: built in, mapped, and registered by plugins or by the calling program. */
export async function formatsOf(
  plan: Pick<PipelinePlan, "mappings" | "plugins">,
): Promise<readonly Format[]> {
  for (const path of plan.plugins) {
    try {
      await import(pathToFileURL(path).href);
    } catch (cause) {
      throw new PluginError(path, cause);
    }
  }
  return [...builtinFormats, ...plan.mappings.map(createCustomFormat), ...registeredFormats()];
}

/** Makes a plan's formats, redactor and scorer; once per thread. */
export async function taskSettings(plan: PipelinePlan): Promise<TaskSettings> {
  const formats = await formatsOf(plan);
  const { limits, redaction, forced } = plan;
  return {
    ingest: ingestSettings({ formats, limits, redaction, ...(forced === undefined ? {} : { forced }) }),
    score: scoreSettings(plan),
  };
}

function appliedCalibration(document: CalibrationDocument): Calibration {
  const { version, layer } = document;
  return { version, layer, apply: (score) => applyCalibration(document, score) };
}

/**
 * A critic that is loaded when it is first asked: functions that take in or export have the same settings, but no
 * runtime beside their code.
 */
function criticOf(files: CriticFiles): ScoreSettings["critic"] {
  let loaded: Promise<Critic> | undefined;
  return async (trajectory, facts) => {
    loaded ??= import("../onnx/load-critic.ts").then(({ criticOfFiles }) => criticOfFiles(files));
    const { document, model } = await loaded;
    const { initial, values } = await criticValues(
      criticRunOf(trajectory, facts),
      model,
      criticSetNumber(document, criticSet(trajectory)),
    );
    return { version: document.model.sha256.slice(0, 16), initial, values };
  };
}

/** How a plan scores. */
function scoreSettings(plan: PipelinePlan): ScoreSettings {
  const { reward, profile, rubrics, calibration, references, critic } = plan;
  return {
    reward,
    ...(profile === undefined ? {} : { profile }),
    ...(rubrics === undefined ? {} : { rubrics }),
    ...(critic === undefined ? {} : { critic: criticOf(critic) }),
    ...(references === undefined ? {} : { references: referenceBook(references) }),
    ...(calibration === undefined ? {} : { calibration: appliedCalibration(calibration) }),
  };
}
