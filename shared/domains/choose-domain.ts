import { getDomainProfile, isBuiltinDomain, listDomainProfiles } from "./builtin.ts";

/** Tools that every domain may have; they say nothing about which one it is. */
const neutralTools: ReadonlySet<string> = new Set(["think", "submit", "finish", "exit", ""]);
/** A domain whose profile knows fewer of the tools than this is no better than generic. */
const leastCoverage = 0.5;

export interface DomainChoice {
  readonly domain: string;
  readonly because: "explicit" | "declared" | "tools" | "nothing known";
}

/**
 * Chooses the domain of a trajectory: what the caller says, else what the trajectory declares (if such a
 * profile exists), else the profile that knows most of the distinct tools used (at least half of them;
 * ties go to the earlier of {@link listDomainProfiles}), else generic.
 */
export function chooseDomain({
  explicit,
  declared,
  toolNames,
}: {
  readonly explicit?: string | null | undefined;
  readonly declared?: string | null | undefined;
  readonly toolNames: Iterable<string>;
}): DomainChoice {
  if (explicit !== undefined && explicit !== null && explicit !== "") {
    return { domain: explicit, because: "explicit" };
  }
  if (typeof declared === "string" && isBuiltinDomain(declared)) {
    return { domain: declared, because: "declared" };
  }
  const used = new Set<string>();
  for (const name of toolNames) {
    if (typeof name === "string" && !neutralTools.has(name)) used.add(name);
  }
  let best = { domain: "generic", known: 0 };
  for (const domain of listDomainProfiles()) {
    let known = 0;
    const names = toolNamesOf(domain);
    for (const name of used) if (names.has(name)) known++;
    if (known > best.known) best = { domain, known };
  }
  if (best.known > 0 && best.known >= used.size * leastCoverage) {
    return { domain: best.domain, because: "tools" };
  }
  return { domain: "generic", because: "nothing known" };
}

/** Every trajectory asks for all of them. */
const namesByDomain = new Map<string, ReadonlySet<string>>();

function toolNamesOf(domain: string): ReadonlySet<string> {
  const known = namesByDomain.get(domain);
  if (known !== undefined) return known;
  const names = new Set(getDomainProfile(domain).tools.flatMap((tool) => [tool.name, ...tool.aliases]));
  namesByDomain.set(domain, names);
  return names;
}
