import { datasetPrefix, trajectoryKey } from "../contracts/keys.ts";
import type { DatasetInput, Manifest } from "../dataset/manifest.ts";
import type { Catalog } from "../ports/catalog.ts";
import { ObjectNotFoundError, type ObjectStore } from "../ports/object-store.ts";
import { ManifestError, manifestKey, readManifest, type VersionName } from "../stages/stored-manifest.ts";
import { FileCheck } from "./file-check.ts";
import { hasFiles } from "./list-versions.ts";
import { DatasetInputsError, versionInputs } from "./version-inputs.ts";

/** What is wrong with a version, and what to do about it. */
export interface VersionFault {
  readonly code:
    | ("bad-manifest" | "no-manifest" | "missing-file" | "bad-file" | "unlisted-file" | "bad-counts")
    | ("forgotten" | "missing-input" | "missing-document" | "other-content");
  /** Key of the object, or id of the trajectory. */
  readonly place: string;
  readonly reason: string;
  readonly remedy: string;
}

export interface Verification extends VersionName {
  readonly faults: readonly VersionFault[];
  readonly files: number;
  readonly bytes: number;
  readonly inputs: number;
  /** Inputs whose documents or scores are other ones by now: the version is what it was, a new one would differ. */
  readonly revised: number;
  readonly rescored: number;
}

interface Ports {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly onProgress?: (done: number, total: number) => void;
  /** Only the files: `inputs`, `revised` and `rescored` stay 0. */
  readonly filesAlone?: boolean;
}

/** Inputs looked up side by side. */
const SIDE_BY_SIDE = 32;

/**
 * Reads every byte of a dataset version and compares it with the manifest, and looks whether what it was made of is
 * still in the store, as it was.
 */
export async function verifyVersion(version: VersionName, ports: Ports): Promise<Verification> {
  return new Verifier(version, ports).run();
}

class Verifier {
  readonly #version: VersionName;
  readonly #ports: Ports;
  readonly #prefix: string;
  readonly #anew: string;
  readonly #faults: VersionFault[] = [];
  #files = 0;
  #bytes = 0;
  #inputs = 0;
  #revised = 0;
  #rescored = 0;

  constructor(version: VersionName, ports: Ports) {
    this.#version = version;
    this.#ports = ports;
    this.#prefix = datasetPrefix(version.name, version.version);
    this.#anew = `remove the folder ${this.#prefix} and export anew; with the same settings and trajectories it comes out the same`;
  }

  async run(): Promise<Verification> {
    const manifest = await this.#manifest();
    if (manifest !== undefined) {
      await this.#checkFiles(manifest);
      this.#checkCounts(manifest);
      if (this.#ports.filesAlone !== true) await this.#checkInputs(manifest);
    }
    await this.#checkForgotten();
    return {
      ...this.#version,
      faults: this.#faults,
      files: this.#files,
      bytes: this.#bytes,
      inputs: this.#inputs,
      revised: this.#revised,
      rescored: this.#rescored,
    };
  }

  async #manifest(): Promise<Manifest | undefined> {
    const place = manifestKey(this.#version);
    try {
      const manifest = await readManifest(this.#version, this.#ports.store);
      if (manifest !== undefined) return manifest;
      const reason = "it is not there: the folder was removed, or damaged";
      const remedy = "nothing is to be done if you removed it; else export with the same settings again";
      this.#faults.push({ code: "no-manifest", place, reason, remedy });
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      const { fault: reason, remedy } = error;
      this.#faults.push({ code: "bad-manifest", place, reason, remedy });
    }
    return undefined;
  }

  async #checkFiles(manifest: Manifest): Promise<void> {
    const { files, inputs, beside } = manifest;
    const all = [...files, inputs, ...beside];
    const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const file of all) {
      const place = this.#prefix + file.path;
      const check = new FileCheck(file);
      try {
        for await (const piece of this.#ports.store.stream(place)) {
          check.add(piece);
          this.#bytes += piece.length;
          this.#ports.onProgress?.(this.#bytes, total);
        }
      } catch (error) {
        if (!(error instanceof ObjectNotFoundError)) throw error;
        const reason = "the manifest lists it, but it is not there";
        this.#faults.push({ code: "missing-file", place, reason, remedy: this.#anew });
        continue;
      }
      this.#files += 1;
      for (const reason of check.faults()) {
        this.#faults.push({ code: "bad-file", place, reason, remedy: this.#anew });
      }
    }
    const known = new Set(["manifest.json", ...all.map(({ path }) => path)]);
    for await (const { key } of this.#ports.store.list(this.#prefix)) {
      if (known.has(key.slice(this.#prefix.length))) continue;
      const reason = "the manifest does not list it";
      this.#faults.push({ code: "unlisted-file", place: key, reason, remedy: "move it elsewhere" });
    }
  }

  /** A manifest may be sound by itself and yet say of its parts what cannot be. */
  #checkCounts({ files, rows, inputs, selection }: Manifest): void {
    const place = manifestKey(this.#version);
    const inFiles = files.reduce((sum, file) => sum + file.rows, 0);
    const counts = [
      [rows, inFiles, "rows, its files"],
      [selection.selected, inputs.rows, "selected trajectories, its inputs"],
    ] as const;
    for (const [said, found, what] of counts) {
      if (said === found) continue;
      const reason = `it says ${said} ${what} have ${found}`;
      this.#faults.push({ code: "bad-counts", place, reason, remedy: this.#anew });
    }
  }

  async #checkInputs(manifest: Manifest): Promise<void> {
    let group: DatasetInput[] = [];
    const settle = async (): Promise<void> => {
      const found = await Promise.all(group.map((input) => this.#inputFault(input)));
      this.#faults.push(...found.filter((fault) => fault !== undefined));
      this.#inputs += group.length;
      group = [];
    };
    try {
      for await (const input of versionInputs(manifest, this.#ports)) {
        group.push(input);
        if (group.length >= SIDE_BY_SIDE) await settle();
      }
      await settle();
    } catch (error) {
      // Of a file that is not there, or not what it was, something is said already.
      if (!(error instanceof ObjectNotFoundError || error instanceof DatasetInputsError)) throw error;
    }
  }

  async #inputFault(input: DatasetInput): Promise<VersionFault | undefined> {
    const { store, catalog } = this.#ports;
    const { id, revision } = input;
    const entry = await catalog.entry(id);
    if (entry === undefined) {
      // What was forgotten is told by the version's marks.
      if (await catalog.forgotten(id)) return undefined;
      const reason = "it stands in the version, but the catalog does not know it";
      const remedy = "bring back a copy of the catalog, or read its log again: gymline run";
      return { code: "missing-input", place: id, reason, remedy };
    }
    if (entry.scorer !== input.scorer) this.#rescored += 1;
    if (!(await store.exists(trajectoryKey(id)))) {
      const reason = "its document is not there";
      const remedy = "read its log again: gymline run <drop> --force";
      return { code: "missing-document", place: trajectoryKey(id), reason, remedy };
    }
    if (entry.revision !== revision) this.#revised += 1;
    else if (entry.contentId !== input.content_id) {
      const reason = `the version was made of content ${input.content_id.slice(0, 12)}, the same revision has ${entry.contentId.slice(0, 12)} now`;
      const remedy = "gymline doctor --deep says whether its document is damaged";
      return { code: "other-content", place: id, reason, remedy };
    }
    return undefined;
  }

  async #checkForgotten(): Promise<void> {
    const { name, version } = this.#version;
    if (!(await hasFiles(this.#version, this.#ports.store))) return;
    for (const id of await this.#ports.catalog.forgottenIn(name, version)) {
      const reason = "it was forgotten, and its row still stands in the version";
      this.#faults.push({ code: "forgotten", place: id, reason, remedy: forgottenRemedy(this.#version) });
    }
  }
}

/** What to do about a version that holds what was forgotten. */
export function forgottenRemedy({ name, version }: VersionName): string {
  return `export ${name} anew, which leaves it out, then remove ${datasetPrefix(name, version)} and every copy of it`;
}
