import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const noteSchema = z.strictObject({
  schema: z.literal("gymline.upload.v1"),
  bucket: z.string(),
  key: z.string(),
  /** Of the whole content. */
  sha256: z.string(),
  partBytes: z.int().positive(),
  uploadId: z.string(),
});
export type UploadNote = Omit<z.infer<typeof noteSchema>, "schema">;
type Place = Pick<UploadNote, "bucket" | "key">;

/**
 * Remembers unfinished uploads between runs, one small file each: S3 tells which parts of an upload it has, but not
 * of which content. A note that is lost, or cannot be written, costs no more than sending the parts again.
 */
export class UploadNotes {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  find(place: Place): UploadNote | undefined {
    try {
      const { schema: _, ...note } = noteSchema.parse(JSON.parse(readFileSync(this.#path(place), "utf8")));
      return note.bucket === place.bucket && note.key === place.key ? note : undefined;
    } catch {
      return undefined;
    }
  }

  keep(note: UploadNote): void {
    const path = this.#path(note);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.${process.pid}`, JSON.stringify({ schema: "gymline.upload.v1", ...note }));
      renameSync(`${path}.${process.pid}`, path);
    } catch {
      // See above: the upload goes on without it.
    }
  }

  drop(place: Place): void {
    try {
      rmSync(this.#path(place), { force: true });
    } catch {
      // One that stays names an upload that is gone, which the next try finds out.
    }
  }

  #path({ bucket, key }: Place): string {
    const name = createHash("sha256").update(`${bucket}\0${key}`).digest("hex");
    return join(this.#folder, `${name}.json`);
  }
}
