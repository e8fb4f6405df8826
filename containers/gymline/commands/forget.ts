import type { Command } from "commander";
import { datasetPrefix } from "../../../shared/contracts/keys.ts";
import { type Forgetting, forget } from "../../../shared/stages/forget.ts";
import { hasFiles } from "../../../shared/versions/list-versions.ts";
import { forgottenRemedy } from "../../../shared/versions/verify-version.ts";
import { pc } from "../colours.ts";
import { examples } from "../options.ts";
import { inStore, type OpenStore, resolveId, type StoreOption, storeOrDeployment } from "../store-access.ts";
import { many, out } from "../terminal.ts";

export function addForget(program: Command): void {
  const command = program
    .command("forget")
    .description(
      "remove trajectories for good: documents, scores, attachments; marks the dataset versions that hold them; they do not come back",
    )
    .argument("<ids...>", "trajectory ids; their first digits will do")
    .option("--json", "print JSON");
  storeOrDeployment(command);
  examples(command, [
    "gymline forget 3f2a91 --store out",
    "gymline forget 3f2a91 c07d44 --deployment team",
    "gymline datasets list        # which versions are marked",
  ]).action(run);
}

async function run(
  ids: readonly string[],
  options: StoreOption & { readonly json?: boolean },
): Promise<void> {
  await inStore(options, {
    mode: "write",
    work: async (opened) => {
      const { catalog } = opened;
      const results: Forgetting[] = [];
      for (const text of ids) {
        // An id in full may be forgotten again, which removes what a killed run left behind.
        const again = /^[0-9a-f]{64}$/.test(text) && (await catalog.forgotten(text));
        const result = await forget(again ? text : await resolveId(catalog, text), opened);
        results.push(result);
        if (options.json !== true) await print(result, opened);
      }
      if (options.json === true) out(JSON.stringify({ schema: "gymline.forget.v1", forgotten: results }));
    },
  });
}

async function print({ ids, removed, datasets }: Forgetting, { store, place }: OpenStore): Promise<void> {
  out(`forgot ${ids.join(", ")} and removed ${many(removed.length, "object")}`);
  const versions = new Map(datasets.map((use) => [datasetPrefix(use.name, use.version), use]));
  for (const [prefix, version] of versions) {
    if (!(await hasFiles(version, store))) continue;
    out(`  ${pc.red("✗")} ${place}/${prefix} still holds it, and is marked`);
    out(`    ${pc.dim("→")} ${forgottenRemedy(version)}`);
  }
}
