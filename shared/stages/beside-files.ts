import { createHash } from "node:crypto";
import type { WrittenFile } from "../dataset/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/** Writes small files beside the data of a dataset version and notes what the manifest says of them. */
export class BesideFiles {
  readonly #prefix: string;
  readonly #store: ObjectStore;
  readonly #written: WrittenFile[] = [];

  constructor(place: { readonly prefix: string; readonly store: ObjectStore }) {
    this.#prefix = place.prefix;
    this.#store = place.store;
  }

  /** `path` is relative to the folder of the version. */
  async put(path: string, content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    await this.#store.put(this.#prefix + path, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.#written.push({ path, bytes: bytes.length, sha256 });
  }

  /** In the order in which they were written. */
  get written(): WrittenFile[] {
    return [...this.#written];
  }
}
