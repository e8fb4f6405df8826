import type { Command } from "commander";
import { getDomainProfile, listDomainProfiles } from "../../../shared/domains/builtin.ts";
import type { DomainProfile } from "../../../shared/domains/profile.ts";
import { domainProfileJson } from "../../../shared/domains/profile-json.ts";
import { rubricsOf } from "../../../shared/reward/rubrics.ts";
import { pc } from "../colours.ts";
import { examples } from "../options.ts";
import { rubricTable } from "../rubric-table.ts";
import { profileOf } from "../settings.ts";
import { out, printable, table } from "../terminal.ts";

interface DomainsOptions {
  readonly json?: boolean;
}

export function addDomains(program: Command): void {
  const command = program
    .command("domains")
    .description("list the domains that scoring knows, or show one with its tools and rubrics")
    .argument("[name]", "built-in domain, or the path of a profile file")
    .option("--json", "print JSON instead of text: of one domain, its profile file");
  examples(command, [
    "gymline domains",
    "gymline domains coding",
    "gymline domains coding --json > our-domain.json   # a profile file to start from",
  ]).action(domains);
}

function domains(name: string | undefined, options: DomainsOptions): void {
  const json = options.json === true;
  if (name !== undefined) {
    const profile = profileOf(name, ".");
    if (json) out(JSON.stringify(domainProfileJson(profile), null, 2));
    else printProfile(profile);
    return;
  }
  const all = listDomainProfiles().map(getDomainProfile);
  if (json) {
    out(JSON.stringify({ schema: "gymline.domains.v1", domains: all.map(domainProfileJson) }));
    return;
  }
  const rows = all.map((profile) => [
    profile.domain,
    profile.displayName,
    String(profile.tools.length),
    String(rubricsOf(profile).length),
    profile.tools
      .slice(0, 6)
      .map((tool) => tool.name)
      .join(", "),
  ]);
  const columns = [
    { title: "domain" },
    { title: "title" },
    { title: "tools", align: "right" },
    { title: "rubrics", align: "right" },
    { title: "such as" },
  ] as const;
  out(table(columns, rows));
  out("\nA trajectory's own statement decides, else its tools; --domain <name|file> says otherwise.");
}

function printProfile(profile: DomainProfile): void {
  out(`${pc.bold(printable(profile.domain))}  ${printable(profile.displayName)}\n`);
  if (profile.tools.length === 0) out("  no tools of its own: calls are scored without knowing what they do");
  else printTools(profile);
  out(`\n${pc.bold("Rubrics")}`);
  out(rubricTable(rubricsOf(profile)));
  const spec = Object.entries(profile.outcomeSpec).filter(([, field]) => field !== "");
  out(`\n${pc.bold("Outcome")}`);
  for (const [name, field] of spec) out(`  ${name.padEnd(20)} ${printable(field)}`);
  if (profile.taskFields.length > 0)
    out(`\n${pc.bold("Task fields")}  ${printable(profile.taskFields.join(", "))}`);
}

function printTools(profile: DomainProfile): void {
  out(pc.bold("Tools"));
  for (const tool of profile.tools) {
    const facts = [
      tool.category,
      tool.statefulKey === "" ? "" : `works on ${tool.statefulKey}`,
      tool.effect === undefined ? "" : `changes ${EFFECTS[tool.effect]}`,
      tool.repeatable ? "may be repeated" : "",
    ];
    out(`  ${printable(tool.name).padEnd(16)} ${printable(facts.filter((fact) => fact !== "").join(", "))}`);
    for (const line of wrapped(tool.aliases)) out(`    ${pc.dim(printable(line))}`);
  }
}

const EFFECTS = { none: "nothing", target: "its target", world: "anything" } as const;
const WIDTH = 76;

function wrapped(words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length + 2 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line}, ${word}`;
  }
  return lines.map((line, index) => (index < lines.length - 1 ? `${line},` : line));
}
