import { describe, expect, it } from "vitest";
import { getDomainProfile, listDomainProfiles } from "../../shared/domains/builtin.ts";
import { parseDomainProfile } from "../../shared/domains/profile.ts";
import { domainProfileJson } from "../../shared/domains/profile-json.ts";
import { rubricsOf } from "../../shared/reward/rubrics.ts";

describe("the JSON form of a domain profile", () => {
  it.each(listDomainProfiles())("reads back as the same profile: %s", (name) => {
    const profile = getDomainProfile(name);
    const read = parseDomainProfile(JSON.stringify(domainProfileJson(profile)), name);
    expect({ ...read, rubricWeights: {} }).toEqual({ ...profile, rubricWeights: {} });
    expect(rubricsOf(read)).toEqual(rubricsOf(profile));
  });

  it("keeps a rubric that was switched off switched off", () => {
    const own = { ...getDomainProfile("coding"), rubricWeights: { goal_progress: 0, clarity: 0.5 } };
    const read = parseDomainProfile(domainProfileJson(own), "own");
    expect(rubricsOf(read)).toEqual(rubricsOf(own));
  });
});
