import type { CriticDocument } from "../../shared/critic/critic-document.ts";
import { criticFeatureNames, FEATURES_VERSION } from "../../shared/critic/features.ts";

const estimate = { value: 0.7, low: 0.6, high: 0.8 };
const figures = {
  n: 60,
  successes: 30,
  groups: 8,
  auc: estimate,
  brier: estimate,
  ece: estimate,
  ece_floor: 0.1,
};
const bySet = { macro_auc: estimate, macro_sets: ["one"], sets: { one: figures } };

/** A document as training writes it, with made-up figures. */
export function criticDocument(): CriticDocument {
  return {
    schema: "gymline.critic.v2",
    features: {
      version: FEATURES_VERSION,
      names: [...criticFeatureNames],
      means: criticFeatureNames.map(() => 0),
      deviations: criticFeatureNames.map(() => 1),
    },
    model: {
      file: "critic.onnx",
      sha256: "0".repeat(64),
      kind: "trees",
      log_loss: { trees: 0.5 },
      sets: ["one"],
      calibration: { method: "sigmoid", slope: 1, intercept: 0 },
    },
    training: {
      table_sha256: "1".repeat(64),
      trajectories: 60,
      successes: 30,
      groups: 8,
      rows: 300,
      rows_used: 200,
      sets: { one: { trajectories: 60, successes: 30, groups: 8 } },
      seed: 0,
      folds: 5,
      prefixes: 6,
      resamples: 1000,
    },
    report: {
      cross_validation: { folds: 5, chosen: ["trees"], prefixes: { final: figures }, ...bySet },
      leave_one_set_out: null,
    },
    versions: { python: "3.13" },
  };
}
