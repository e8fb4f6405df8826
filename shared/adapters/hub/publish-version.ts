import {
  type CommitOperation,
  commit,
  createBranch,
  createRepo,
  datasetInfo,
  downloadFile,
  HubApiError,
  type ListFileEntry,
  listFiles,
} from "@huggingface/hub";
import { z } from "zod";
import type { Manifest } from "../../dataset/manifest.ts";
import { gitBlobHash } from "./git-blob-hash.ts";
import { PublishError, publishError } from "./publish-error.ts";

export interface Publication {
  readonly manifest: Manifest;
  /** Where a file of the version lies, by its path in the version. Checked against the manifest before. */
  readonly fileUrl: (path: string) => URL;
  /** `owner/name`. */
  readonly repo: string;
  /** Of a repository that is made for it. One that is there must be private as well. */
  readonly isPrivate: boolean;
  /** Branch; made where it is not there. */
  readonly revision: string;
  readonly token: string;
  readonly hubUrl: string;
}

export interface Published {
  /** `unchanged`: the Hub has just these files; nothing was committed. */
  readonly kind: "published" | "unchanged";
  readonly url: string;
  /** The commit that holds the version. */
  readonly commit: string;
  readonly isNewRepo: boolean;
  readonly uploaded: readonly string[];
  /** Files of the version that stood there before, which this one does not have. */
  readonly removed: readonly string[];
}

interface Listed {
  readonly files: readonly { readonly path: string }[];
  readonly inputs: { readonly path: string };
  readonly beside: readonly { readonly path: string }[];
}

/** Paths of all files of a version. */
export function filesOf({ files, inputs, beside }: Listed): readonly string[] {
  return [...files, inputs, ...beside].map(({ path }) => path).concat("manifest.json");
}

/**
 * Brings a dataset version onto the Hugging Face Hub, all of its files in one commit: those that are there already are
 * not sent again, and files of the version before it are removed. What else stands in the repository stays.
 * @throws PublishError
 */
export async function publishVersion(publication: Publication): Promise<Published> {
  try {
    return await new Publisher(publication).run();
  } catch (cause) {
    throw publishError(cause, publication);
  }
}

class Publisher {
  readonly #of: Publication;
  readonly #common: { readonly repo: { type: "dataset"; name: string }; hubUrl: string; accessToken: string };

  constructor(publication: Publication) {
    this.#of = publication;
    const { repo, hubUrl, token } = publication;
    this.#common = { repo: { type: "dataset", name: repo }, hubUrl, accessToken: token };
  }

  async run(): Promise<Published> {
    const { manifest, repo, revision, hubUrl } = this.#of;
    const isNewRepo = await this.#ensureRepo();
    const head = await this.#head();
    const there = new Map<string, ListFileEntry>();
    for await (const entry of listFiles({ ...this.#common, recursive: true, revision: head })) {
      if (entry.type === "file") there.set(entry.path, entry);
    }
    const wanted = filesOf(manifest);
    const uploaded: string[] = [];
    for (const path of wanted) if (!(await this.#isThere(path, there.get(path)))) uploaded.push(path);
    const removed = (await this.#filesBefore(head, there)).filter((path) => !wanted.includes(path));
    const base = `${hubUrl}/datasets/${repo}`;
    const url = revision === "main" ? base : `${base}/tree/${encodeURIComponent(revision)}`;
    const common = { url, isNewRepo, uploaded, removed };
    if (uploaded.length + removed.length === 0) return { kind: "unchanged", commit: head, ...common };
    const operations: CommitOperation[] = [
      ...removed.map((path) => ({ operation: "delete" as const, path })),
      ...uploaded.map((path) => ({
        operation: "addOrUpdate" as const,
        path,
        content: this.#of.fileUrl(path),
      })),
    ];
    const made = await commit({
      ...this.#common,
      operations,
      title: `${manifest.name} ${manifest.version}`,
      description: `${manifest.rows} rows (${manifest.format}), written by gymline ${manifest.made_by.version}`,
      branch: revision,
      parentCommit: head,
    });
    if (made === undefined) throw new PublishError(`the Hub made no commit in ${repo}; publish again`);
    return { kind: "published", commit: made.commit.oid, ...common };
  }

  /** Whether the repository had to be made. */
  async #ensureRepo(): Promise<boolean> {
    const { repo, isPrivate, hubUrl, token } = this.#of;
    try {
      const info = await datasetInfo({ name: repo, hubUrl, accessToken: token });
      if (!isPrivate || info.private) return false;
    } catch (error) {
      if (!(error instanceof HubApiError) || error.statusCode !== 404) throw error;
      await createRepo({ ...this.#common, visibility: isPrivate ? "private" : "public" });
      return true;
    }
    throw new PublishError(
      `${repo} is public and --private was given: make it private on the Hub first, or leave the option out`,
    );
  }

  /** The commit that the branch stands at. */
  async #head(): Promise<string> {
    const { revision } = this.#of;
    try {
      return await this.#commitOf(revision);
    } catch (error) {
      if (revision === "main" || !(error instanceof HubApiError) || error.statusCode !== 404) throw error;
    }
    await createBranch({ ...this.#common, branch: revision });
    return this.#commitOf(revision);
  }

  async #commitOf(revision: string): Promise<string> {
    const { repo, hubUrl, token } = this.#of;
    const info = await datasetInfo({
      name: repo,
      hubUrl,
      accessToken: token,
      revision,
      additionalFields: ["sha"],
    });
    if (typeof info.sha === "string") return info.sha;
    throw new PublishError(
      `the Hub does not say which commit ${revision} of ${repo} stands at; publish again`,
    );
  }

  async #isThere(path: string, entry: ListFileEntry | undefined): Promise<boolean> {
    if (entry === undefined) return false;
    const { files, inputs, beside } = this.#of.manifest;
    const said = [...files, inputs, ...beside].find((file) => file.path === path);
    if (said !== undefined && entry.size !== said.bytes) return false;
    if (entry.lfs !== undefined) return entry.lfs.oid === said?.sha256;
    return entry.oid === (await gitBlobHash(this.#of.fileUrl(path)));
  }

  /** Files of the version that stands there by now, as its own manifest lists them. */
  async #filesBefore(head: string, there: ReadonlyMap<string, ListFileEntry>): Promise<readonly string[]> {
    if (!there.has("manifest.json")) return [];
    const blob = await downloadFile({ ...this.#common, path: "manifest.json", revision: head });
    let json: unknown;
    try {
      json = JSON.parse((await blob?.text()) ?? "");
    } catch {
      return [];
    }
    const before = publishedManifestSchema.safeParse(json);
    return before.success ? filesOf(before.data).filter((path) => there.has(path)) : [];
  }
}

const pathsSchema = z.array(z.object({ path: z.string() }));

/** What is read of a manifest that another version of the program may have written. */
const publishedManifestSchema = z.object({
  schema: z.string().startsWith("gymline.dataset."),
  files: pathsSchema,
  inputs: z.object({ path: z.string() }),
  beside: pathsSchema,
});
