import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

/** The name that Git gives a file's content: SHA-1 over `blob <size>\0` and its bytes. */
export async function gitBlobHash(file: URL): Promise<string> {
  const hash = createHash("sha1").update(`blob ${(await stat(file)).size}\0`);
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest("hex");
}
