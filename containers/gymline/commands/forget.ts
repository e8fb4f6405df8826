import type { Command } from "commander";
import { openForWriting } from "../../../shared/adapters/local/local-store.ts";
import { datasetPrefix } from "../../../shared/contracts/keys.ts";
import { type Forgetting, forget } from "../../../shared/stages/forget.ts";
import { examples, storeOption } from "../options.ts";
import { resolveId } from "../store-access.ts";
import { many, out } from "../terminal.ts";

export function addForget(program: Command): void {
  const command = program
    .command("forget")
    .description("remove trajectories for good: documents, scores, attachments; they do not come back")
    .argument("<ids...>", "trajectory ids; their first digits will do")
    .option("--json", "print JSON");
  storeOption(command);
  examples(command, ["gymline forget 3f2a91 --store out"]).action(run);
}

async function run(
  ids: readonly string[],
  options: { readonly store: string; readonly json?: boolean },
): Promise<void> {
  const local = openForWriting(options.store);
  try {
    const { catalog } = local;
    const results: Forgetting[] = [];
    for (const text of ids) {
      // An id in full may be forgotten again, which removes what a killed run left behind.
      const again = /^[0-9a-f]{64}$/.test(text) && (await catalog.forgotten(text));
      const result = await forget(again ? text : await resolveId(catalog, text), local);
      results.push(result);
      if (options.json !== true) print(result, options.store);
    }
    if (options.json === true) out(JSON.stringify({ schema: "gymline.forget.v1", forgotten: results }));
  } finally {
    await local.close();
  }
}

function print({ ids, removed, datasets }: Forgetting, store: string): void {
  out(`forgot ${ids.join(", ")} and removed ${many(removed.length, "object")}`);
  const prefixes = new Set(datasets.map(({ name, version }) => datasetPrefix(name, version)));
  for (const prefix of prefixes) {
    out(`  ${store}/${prefix} still holds it: export anew and remove that folder`);
  }
}
