import type { Manifest } from "../manifest.ts";
import { datasetInfo } from "./sharegpt.ts";
import type { TargetId } from "./targets.ts";
import { VERL_DATASET } from "./verl.ts";

/** What a trainer needs beside the data; the target's table says the same for people. */
export function filesBeside(
  target: TargetId,
  { name, files }: Pick<Manifest, "name" | "files">,
): readonly { readonly name: string; readonly text: string }[] {
  if (target === "verl") return [{ name: "gymline_verl.py", text: VERL_DATASET }];
  if (target === "llama-factory" || target === "llama-factory-dpo") {
    const ranking = target === "llama-factory-dpo";
    return [{ name: "dataset_info.json", text: datasetInfo(files, { name, ranking }) }];
  }
  return [];
}
