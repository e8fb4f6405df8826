import { datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import type { DeployedDataset } from "../../shared/contracts/deployment-config.ts";
import { chatRow } from "../factories/logs.ts";

export const MINUTE = 60_000;

export function dataset(threshold?: number): DeployedDataset {
  return {
    request: datasetRequestSchema.parse({ name: "sft", success: ["true", "false"] }),
    ...(threshold === undefined ? {} : { threshold }),
  };
}

export function rows(from: number, count: number): string {
  return Array.from(
    { length: count },
    (_, index) =>
      `${chatRow({ task: `task-${from + index}`, success: true, calls: [[`echo ${from + index}`, "ok"]] })}\n`,
  ).join("");
}

/** Good logs, the same twice, and bad ones. */
export const FILES: readonly (readonly [key: string, content: string])[] = [
  ["team/a.jsonl", rows(0, 6)],
  ["team/b with space+plus.jsonl", rows(6, 3)],
  ["other/same as a.jsonl", rows(0, 6)],
  ["other/bad.json", '{"messages": [{"role": "us'],
  ["other/mixed.jsonl", `${rows(20, 2)}{"no": "log"}\n`],
];
