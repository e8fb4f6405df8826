import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { fromBufferPromise } from "yauzl";

/** What is in a sample: the file itself, or what its packing holds, by name. Independent of the recorder's packing. */
export async function unpacked(path: string, bytes: Buffer): Promise<ReadonlyMap<string, string>> {
  if (path.endsWith(".gz")) return new Map([["", gunzipSync(bytes).toString("latin1")]]);
  if (path.endsWith(".zst")) return new Map([["", zstdDecompressSync(bytes).toString("latin1")]]);
  if (!path.endsWith(".zip")) return new Map([["", bytes.toString("latin1")]]);
  const archive = await fromBufferPromise(bytes, { lazyEntries: true, autoClose: false });
  const entries = new Map<string, string>();
  for await (const entry of archive.eachEntry()) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await archive.openReadStreamPromise(entry)) chunks.push(chunk);
    entries.set(entry.fileName, Buffer.concat(chunks).toString("latin1"));
  }
  return entries;
}
