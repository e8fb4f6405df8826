import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { zstdDecompressSync } from "node:zlib";
import { z } from "zod";
import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";

/** Which record of which file a trajectory came from. */
export interface Origin {
  readonly id: string;
  readonly file: string;
  /** Ordinal of the record in the file, rejected ones counted. */
  readonly record: number;
}

const originSchema = z.object({ id: z.string(), object_key: z.string(), position: z.number() });

export function originsIn(store: string): readonly Origin[] {
  const db = new DatabaseSync(join(store, "catalog.sqlite"), { readOnly: true });
  try {
    const rows = db
      .prepare("select id, object_key, position from places order by object_key, position, ordinal")
      .all();
    return z
      .array(originSchema)
      .parse(rows)
      .map(({ id, object_key, position }) => ({ id, file: object_key, record: position }));
  } finally {
    db.close();
  }
}

/** Every stored document, checked against the schema, by id. */
export function documentsIn(store: string): ReadonlyMap<string, Trajectory> {
  const documents = filesBelow(join(store, "trajectories")).map((path) => {
    const trajectory = trajectorySchema.parse(
      JSON.parse(zstdDecompressSync(readFileSync(path)).toString("utf8")),
    );
    return [trajectory.extra.gymline.id, trajectory] as const;
  });
  return new Map(documents);
}

const messageSchema = z.strictObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  content: z.string(),
  reasoning_content: z.string().optional(),
  tool_calls: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        type: z.literal("function"),
        function: z.strictObject({ name: z.string().min(1), arguments: z.record(z.string(), z.unknown()) }),
      }),
    )
    .min(1)
    .optional(),
  tool_call_id: z.string().optional(),
  name: z.string().optional(),
});

const rowSchema = z.looseObject({
  id: z.string(),
  messages: z.array(messageSchema).min(1),
  tools: z.string().nullable(),
  weights: z.array(z.union([z.literal(0), z.literal(1)])),
  step_rewards: z.array(z.number().min(0).max(1).nullable()),
  reward: z.number().min(0).max(1).nullable(),
  success: z.boolean().nullable(),
});

export type Row = z.infer<typeof rowSchema>;

/** The rows of all splits of the one dataset in a store; the list of its inputs is none of them. */
export function rowsIn(store: string): readonly Row[] {
  return filesBelow(join(store, "datasets"))
    .filter((path) => path.endsWith(".jsonl") && basename(path) !== "inputs.jsonl")
    .flatMap((path) => readFileSync(path, "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => rowSchema.parse(JSON.parse(line)));
}

/** A hash of all files of a store but its catalog, whose pages may differ for the same rows. */
export function treeHash(store: string): string {
  const hash = createHash("sha256");
  for (const path of filesBelow(store)) {
    const name = relative(store, path);
    if (name.startsWith("catalog.sqlite") || name.endsWith(".lock")) continue;
    hash.update(`${name}\n`).update(createHash("sha256").update(readFileSync(path)).digest());
  }
  return hash.digest("hex");
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
