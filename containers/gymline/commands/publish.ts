import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import type { Published } from "../../../shared/adapters/hub/publish-version.ts";
import { datasetPrefix } from "../../../shared/contracts/keys.ts";
import type { Manifest } from "../../../shared/dataset/manifest.ts";
import { manifestOf } from "../../../shared/stages/stored-manifest.ts";
import { findVersion } from "../../../shared/versions/find-version.ts";
import { type VersionFault, verifyVersion } from "../../../shared/versions/verify-version.ts";
import { examples } from "../options.ts";
import { startProgress } from "../progress.ts";
import { inStore, type OpenStore, type StoreOption, storeOrDeployment } from "../store-access.ts";
import { many, out } from "../terminal.ts";
import { textOfFile } from "../text-lines.ts";
import { UsageError } from "../usage-error.ts";

interface PublishOptions extends StoreOption {
  readonly repo: string;
  readonly private?: boolean;
  readonly revision: string;
  readonly tokenFile?: string;
  readonly hubUrl: string;
  readonly json?: boolean;
}

export function addPublish(program: Command): void {
  const command = program
    .command("publish")
    .description("bring a dataset version onto the Hugging Face Hub, all files in one commit")
    .argument(
      "<version>",
      "<dataset>/<version>, of which the first digits will do, or <dataset> for its newest",
    )
    .requiredOption("--repo <owner/name>", "dataset repository; made where it is not there")
    .option("--private", "make it private; one that is there must be")
    .option("--revision <branch>", "branch; made where it is not there", "main")
    .option("--token-file <file>", "file with a token that may write (default: the variable HF_TOKEN)")
    .option("--hub-url <url>", "another Hub", "https://huggingface.co")
    .option("--json", "print JSON");
  storeOrDeployment(command);
  examples(command, [
    "gymline publish sft/5750 --repo my-team/agent-sft --revision candidates --token-file ~/.hf-token",
    "HF_TOKEN=… gymline publish sft --repo my-team/agent-sft --private",
  ]).action(run);
}

async function run(text: string, options: PublishOptions): Promise<void> {
  const target = targetOf(options);
  // With the Hub's client, which other commands need not load.
  const { publishVersion } = await import("../../../shared/adapters/hub/publish-version.ts");
  await inStore(options, {
    mode: "read",
    work: async (opened) => {
      const { name, version } = await findVersion(text, opened.catalog);
      await refuseUnsound({ name, version }, { opened, options });
      const manifest = await manifestOf({ name, version }, opened.store);
      const published = await withFiles(manifest, { opened, options }, (fileUrl) =>
        publishVersion({ manifest, fileUrl, ...target }),
      );
      if (options.json === true)
        out(JSON.stringify({ schema: "gymline.publication.v1", name, version, ...published }));
      else out(publishedText(`${name}/${version}`, published));
    },
  });
}

function targetOf(options: PublishOptions) {
  const { repo, revision } = options;
  if (!/^[\w][\w.-]*\/[\w][\w.-]*$/.test(repo))
    throw new UsageError(`--repo takes <owner>/<name>, such as my-team/agent-sft, not "${repo}"`);
  if (!/^[\w][\w./-]*$/.test(revision))
    throw new UsageError(`--revision takes the name of a branch, not "${revision}"`);
  const hubUrl = URL.canParse(options.hubUrl) ? options.hubUrl.replace(/\/+$/, "") : undefined;
  if (hubUrl === undefined || !/^https?:/.test(hubUrl))
    throw new UsageError(
      `--hub-url takes an address such as https://huggingface.co, not "${options.hubUrl}"`,
    );
  return { repo, revision, hubUrl, isPrivate: options.private === true, token: tokenOf(options) };
}

/** What it says is never shown. */
function tokenOf({ tokenFile }: PublishOptions): string {
  const from = tokenFile === undefined ? "the variable HF_TOKEN" : tokenFile;
  const token = (tokenFile === undefined ? process.env["HF_TOKEN"] : textOfFile(tokenFile))?.trim() ?? "";
  if (token === "")
    throw new UsageError(
      `${from} holds no token: make one that may write at <hub>/settings/tokens, or give --token-file`,
    );
  if (!/^hf_\w+$/.test(token)) throw new UsageError(`${from} holds no token of the Hub: they begin with hf_`);
  return token;
}

/** Faults of the files themselves; that a source is gone or was scored anew does not hinder. */
const HINDERS: ReadonlySet<VersionFault["code"]> = new Set([
  "bad-manifest",
  "no-manifest",
  "missing-file",
  "bad-file",
  "bad-counts",
  "forgotten",
]);

/** @throws UsageError */
async function refuseUnsound(
  version: { readonly name: string; readonly version: string },
  { opened, options }: { readonly opened: OpenStore; readonly options: PublishOptions },
): Promise<void> {
  const progress = startProgress("verifying", { quiet: options.json === true });
  const onProgress = (done: number, total: number): void => progress.update({ done, total });
  const { faults } = await verifyVersion(version, { ...opened, onProgress, filesAlone: true }).finally(() =>
    progress.end(),
  );
  const found = faults.filter(({ code }) => HINDERS.has(code));
  const [first] = found;
  if (first === undefined) return;
  const { place, reason, remedy } = first;
  const more =
    found.length === 1 ? "" : ` (and ${many(found.length - 1, "more fault")}: gymline datasets verify)`;
  throw new UsageError(
    `${version.name}/${version.version} is not published: ${place}: ${reason}${more}; ${remedy}`,
  );
}

/** The files where the Hub's client can read them: in the store's folder, or in a copy of what a deployment holds. */
async function withFiles<T>(
  manifest: Manifest,
  { opened, options }: { readonly opened: OpenStore; readonly options: PublishOptions },
  work: (fileUrl: (path: string) => URL) => Promise<T>,
): Promise<T> {
  const prefix = datasetPrefix(manifest.name, manifest.version);
  if (options.deployment === undefined)
    return work((path) => pathToFileURL(resolve(options.store, prefix, path)));
  const folder = await mkdtemp(join(tmpdir(), "gymline-publish-"));
  try {
    const { filesOf } = await import("../../../shared/adapters/hub/publish-version.ts");
    for (const path of filesOf(manifest)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await pipeline(
        Readable.from(opened.store.stream(prefix + path)),
        createWriteStream(join(folder, path)),
      );
    }
    return await work((path) => pathToFileURL(join(folder, path)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function publishedText(name: string, { kind, url, commit, isNewRepo, uploaded, removed }: Published): string {
  if (kind === "unchanged") return `${name} stands at ${url} already\n  commit ${commit}, nothing to change`;
  const parts = [
    `${many(uploaded.length, "file")} sent`,
    ...(removed.length === 0 ? [] : [`${many(removed.length, "file")} of the version before removed`]),
    ...(isNewRepo ? ["the repository is new"] : []),
  ];
  return `${name} is published at ${url}\n  commit ${commit}; ${parts.join(", ")}`;
}
