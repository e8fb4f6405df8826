import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DatasetRequest, datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import { makeTokenizer, PLAIN_TEMPLATE } from "../factories/tokenizer.ts";

/** A dataset that rests on files: tasks that must not be learnt, and what counts its tokens. */
export function checkedDataset(folder: string): DatasetRequest {
  const evaluation = join(folder, "held-out.jsonl");
  writeFileSync(evaluation, `${JSON.stringify({ instance_id: "csv-quoted-commas" })}\n`);
  const tokenizer = join(folder, "bytes");
  mkdirSync(tokenizer);
  const { tokenizer: json, template = "" } = makeTokenizer({ template: PLAIN_TEMPLATE });
  writeFileSync(join(tokenizer, "tokenizer.json"), json);
  writeFileSync(join(tokenizer, "chat_template.jinja"), template);
  return datasetRequestSchema.parse({
    name: "checked",
    success: ["true", "false", "unknown"],
    against: [evaluation],
    tokenizer,
  });
}
