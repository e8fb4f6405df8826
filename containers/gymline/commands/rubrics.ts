import type { Command } from "commander";
import { listDomainProfiles } from "../../../shared/domains/builtin.ts";
import { type Rubric, type RubricBook, rubricsOf } from "../../../shared/reward/rubrics.ts";
import { pc } from "../colours.ts";
import { examples } from "../options.ts";
import { rubricTable } from "../rubric-table.ts";
import { loadSettings, profileOf } from "../settings.ts";
import { out, printable } from "../terminal.ts";

interface RubricsOptions {
  readonly domain?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export function addRubrics(program: Command): void {
  const command = program
    .command("rubrics")
    .description("list the rubrics that steps and runs are scored by, of all domains or of one")
    .option("-d, --domain <name|file>", "one domain only, with the weights of its profile")
    .option("-c, --config <file>", "configuration file, which may name rubrics of your own")
    .option("--json", "print JSON; of one domain, a file of rubrics to start from");
  examples(command, [
    "gymline rubrics",
    "gymline rubrics --domain conversation",
    "gymline rubrics --domain coding --json > rubrics.json   # a file of rubrics to start from",
  ]).action(rubrics);
}

function rubrics(options: RubricsOptions): void {
  const { plan } = loadSettings(options.config === undefined ? {} : { config: options.config });
  const book = plan.rubrics;
  if (options.domain !== undefined) {
    const profile = profileOf(options.domain, ".", book);
    const own = rubricsOf(profile, book);
    if (options.json === true) out(JSON.stringify(fileOf(profile.domain, own), null, 2));
    else printSet(profile.domain, own);
    return;
  }
  const sets = new Map<string, readonly Rubric[]>();
  for (const name of domainsOf(book)) sets.set(name, rubricsOf(bare(name), book));
  if (options.json === true) {
    const list = [...sets].map(([domain, set]) => ({ domain, rubrics: set }));
    out(JSON.stringify({ schema: "gymline.rubric-sets.v1", sets: list }));
    return;
  }
  // Domains that are scored by the same set share one table.
  const same = new Map<string, { readonly set: readonly Rubric[]; readonly domains: string[] }>();
  for (const [domain, set] of sets) {
    const key = JSON.stringify(set);
    const entry = same.get(key) ?? { set, domains: [] };
    entry.domains.push(domain);
    same.set(key, entry);
  }
  for (const { set, domains } of same.values()) printSet(domains.join(", "), set);
  out(pc.dim("Rules, a judge, people and the critic are layers of their own: weights count within a layer."));
}

function domainsOf(book: RubricBook | undefined): readonly string[] {
  const own = [...(book?.sets.keys() ?? [])].filter((name) => name !== "default");
  return [...new Set([...listDomainProfiles(), ...own])];
}

/** A profile of that name with the weights of its set. */
function bare(domain: string): Parameters<typeof rubricsOf>[0] {
  return { ...profileOf("generic", "."), domain };
}

function printSet(title: string, set: readonly Rubric[]): void {
  out(pc.bold(printable(title)));
  out(rubricTable(set));
  out("");
}

/** The set as a file of rubrics. */
function fileOf(domain: string, set: readonly Rubric[]): unknown {
  return {
    rubrics: set.map(({ id, name, description, evaluator }) => ({ id, name, description, evaluator })),
    sets: { [domain]: Object.fromEntries(set.map(({ id, weight }) => [id, weight])) },
  };
}
