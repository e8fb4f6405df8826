import type { Command } from "commander";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import type { Catalog, DatasetEntry } from "../../../shared/ports/catalog.ts";
import { manifestOf, NoManifestError } from "../../../shared/stages/stored-manifest.ts";
import { diffVersions } from "../../../shared/versions/diff-versions.ts";
import { findVersion } from "../../../shared/versions/find-version.ts";
import {
  hasFiles,
  type ListedVersion,
  listedVersion,
  listVersions,
} from "../../../shared/versions/list-versions.ts";
import { verifyVersion } from "../../../shared/versions/verify-version.ts";
import { diffReport } from "../dataset-diff-report.ts";
import { forgottenLines, verificationLines, versionLines, versionTable } from "../datasets-report.ts";
import { EXIT } from "../exit-code.ts";
import { examples } from "../options.ts";
import { startProgress } from "../progress.ts";
import { inStore, type StoreOption, storeOrDeployment } from "../store-access.ts";
import { note, out } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface DatasetsOptions extends StoreOption {
  readonly json?: boolean;
}

const REF = "<dataset>/<version>, of which the first digits will do, or <dataset> for its newest version";

export function addDatasets(program: Command): void {
  const datasets = program
    .command("datasets")
    .description("look after dataset versions; docs/DATASETS.md tells more");
  examples(datasets, [
    "gymline datasets list --store out",
    "gymline datasets show sft",
    "gymline datasets diff sft/5750 sft/fb41",
    "gymline datasets verify --deployment team",
  ]);
  const list = datasets
    .command("list")
    .description("list the versions of all datasets, or of one, with what is to be done about them")
    .argument("[dataset]")
    .option("--json", "one JSON object a line");
  storeOrDeployment(list).action(listAll);
  const show = datasets
    .command("show")
    .description("show what a version holds, what it was made of, and by which settings")
    .argument("<version>", REF)
    .option("--json", "the manifest with what the catalog knows, as one JSON document");
  storeOrDeployment(show).action(showOne);
  const diff = datasets
    .command("diff")
    .description("show what changed from one version to another: settings, trajectories, counts, statistics")
    .argument("<version>", REF)
    .argument("[version]", "without it, the first one is compared with the version before it")
    .option("--full", "all trajectories, not only the first of each kind")
    .option("--json", "print JSON, with all trajectories");
  storeOrDeployment(diff).action(diffTwo);
  const verify = datasets
    .command("verify")
    .description(
      "check every file of versions against the manifest, and what they were made of; exit code 2: faults",
    )
    .argument("[versions...]", `${REF}; without any, all that there are`)
    .option("--json", "one JSON object a version");
  storeOrDeployment(verify).action(verify_);
}

async function listAll(dataset: string | undefined, options: DatasetsOptions): Promise<void> {
  await inStore(options, {
    mode: "read",
    work: async (opened) => {
      // A name that there is not is told with those that are near.
      const name = dataset === undefined ? undefined : (await findVersion(dataset, opened.catalog)).name;
      const versions: ListedVersion[] = [];
      for await (const version of listVersions(opened, name)) {
        if (options.json === true) out(JSON.stringify(listedJson(version)));
        else versions.push(version);
      }
      if (options.json === true) return;
      if (versions.length === 0) note("no dataset yet; gymline export writes one");
      else out(versionTable(versions, systemClock.now()));
      for (const line of versions.flatMap((version) => forgottenLines(version, opened))) out(line);
    },
  });
}

function listedJson(version: ListedVersion): unknown {
  const { entry, forgotten, state } = version;
  const { name, format, rows: trajectories, createdAt, announced } = entry;
  return {
    name,
    version: entry.version,
    state,
    target: version.state === "whole" ? version.manifest.settings["target"] : null,
    format,
    rows: version.state === "whole" ? version.manifest.rows : null,
    trajectories,
    created_at: new Date(createdAt).toISOString(),
    announced,
    forgotten,
  };
}

async function showOne(text: string, options: DatasetsOptions): Promise<void> {
  await inStore(options, {
    mode: "read",
    work: async (opened) => {
      const version = await listedVersion(await findVersion(text, opened.catalog), opened);
      if (version.state === "damaged") throw version.fault;
      if (version.state !== "whole") throw new NoManifestError(version.entry);
      if (options.json !== true) {
        for (const line of versionLines(version, { opened, now: systemClock.now() })) out(line);
        return;
      }
      const { entry, manifest, forgotten } = version;
      const created_at = new Date(entry.createdAt).toISOString();
      const facts = { created_at, announced: entry.announced, forgotten };
      out(JSON.stringify({ schema: "gymline.dataset-show.v1", ...facts, manifest }));
    },
  });
}

async function diffTwo(
  first: string,
  second: string | undefined,
  options: DatasetsOptions & { readonly full?: boolean },
): Promise<void> {
  await inStore(options, {
    mode: "read",
    work: async (opened) => {
      const one = await findVersion(first, opened.catalog);
      const other =
        second === undefined
          ? await versionBefore(one, opened.catalog)
          : await findVersion(second, opened.catalog);
      const [before, after] = second === undefined ? [other, one] : [one, other];
      const manifests = [
        await manifestOf(before, opened.store),
        await manifestOf(after, opened.store),
      ] as const;
      const diff = await diffVersions(manifests, opened.store);
      if (options.json === true) out(JSON.stringify(diff));
      else out(diffReport(diff, { full: options.full === true }));
    },
  });
}

/** @throws UsageError */
async function versionBefore(of: DatasetEntry, catalog: Catalog): Promise<DatasetEntry> {
  let before: DatasetEntry | undefined;
  for await (const entry of catalog.datasets()) {
    if (entry.name !== of.name) continue;
    if (entry.version === of.version && before !== undefined) return before;
    before = entry;
  }
  throw new UsageError(
    `${of.name}/${of.version} is the first version of its dataset: name another one to compare with`,
  );
}

async function verify_(texts: readonly string[], options: DatasetsOptions): Promise<void> {
  await inStore(options, {
    mode: "read",
    work: async (opened) => {
      const versions: DatasetEntry[] = [];
      for (const text of texts) versions.push(await findVersion(text, opened.catalog));
      if (texts.length === 0) {
        // What was removed on purpose needs no check.
        for await (const entry of opened.catalog.datasets())
          if (await hasFiles(entry, opened.store)) versions.push(entry);
        if (versions.length === 0) note("no dataset to verify; gymline export writes one");
      }
      let sound = true;
      for (const version of versions) {
        const progress = startProgress(`verifying ${version.name}/${version.version}`, {
          quiet: options.json === true,
        });
        const onProgress = (done: number, total: number): void => progress.update({ done, total });
        const { name, version: id } = version;
        const found = await verifyVersion({ name, version: id }, { ...opened, onProgress }).finally(
          progress.end,
        );
        if (options.json === true)
          out(JSON.stringify({ schema: "gymline.dataset-verification.v1", ...found }));
        else for (const line of verificationLines(found, opened)) out(line);
        sound &&= found.faults.length === 0;
      }
      if (!sound) process.exitCode = EXIT.rejected;
    },
  });
}
