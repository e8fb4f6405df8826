import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { getDomainProfile, listDomainProfiles } from "../../shared/domains/builtin.ts";
import { chooseDomain } from "../../shared/domains/choose-domain.ts";
import { DomainProfileError, parseDomainProfile } from "../../shared/domains/profile.ts";
import { createToolClassifier } from "../../shared/domains/tool-classifier.ts";
import { rubricSetForDomain, rubricsOf } from "../../shared/reward/rubrics.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../reward/golden.ts";

interface GoldenTool {
  readonly name: string;
  readonly category: string;
  readonly stateful_key: string;
  readonly aliases: readonly string[];
}

interface GoldenProfile {
  readonly domain: string;
  readonly tools: readonly GoldenTool[];
  readonly task_fields: readonly string[];
  readonly outcome_spec: Readonly<Record<string, string>>;
}

interface GoldenRubrics {
  readonly rubrics: readonly object[];
  readonly total: number;
}

type ProfileCase = GoldenCase<{ readonly domain: string }, GoldenProfile>;
type RubricsCase = GoldenCase<{ readonly domain: string }, GoldenRubrics>;

const profileCases = golden<ProfileCase>("core_domains.json").filter(
  (each) => each.name.startsWith("profile_") && each.expected.tools !== undefined,
);
const rubricsCases = golden<RubricsCase>("core_domains.json").filter((each) =>
  each.name.startsWith("rubrics_"),
);
const listed = golden<GoldenCase<unknown, unknown>>("core_domains.json").find(
  (each) => each.name === "list_domain_profiles",
);

describe.skipIf(!hasGolden)(`built-in profiles against the reference vectors${whyGolden}`, () => {
  it.for(profileCases)("has all that $name has", ({ expected }) => {
    const profile = getDomainProfile(expected.domain);
    const classifier = createToolClassifier(profile);
    expect(profile.domain).toBe(expected.domain);
    for (const tool of expected.tools) {
      const spec = classifier.specOf(tool.name);
      expect(spec).toMatchObject({
        name: tool.name,
        category: tool.category,
        statefulKey: tool.stateful_key,
      });
      for (const alias of tool.aliases) expect(classifier.specOf(alias)).toBe(spec);
    }
    expect([...profile.taskFields].sort()).toEqual([...expected.task_fields].sort());
    const { success_field, score_field, total_field, partial_credit_field } = expected.outcome_spec;
    // A crew's steps per token are no score: there, success alone decides.
    const isCrew = expected.domain === "crew";
    expect(profile.outcomeSpec).toMatchObject({
      successField: success_field,
      scoreField: isCrew ? "" : score_field,
      totalField: isCrew ? "" : total_field,
      partialCreditField: partial_credit_field,
    });
  });

  it.for(rubricsCases)("has the rubric set of $name", ({ input, expected }) => {
    const rubrics = rubricSetForDomain(input.domain);
    expect(rubrics.map(({ id, weight, evaluator }) => ({ id, weight, evaluator }))).toEqual(expected.rubrics);
    expect(rubrics.reduce((sum, rubric) => sum + rubric.weight, 0)).toBeCloseTo(expected.total, 9);
  });

  it("lists the same profiles and knows an unknown one as generic", () => {
    expect(listDomainProfiles()).toEqual(listed?.expected);
    expect(getDomainProfile("zzz").domain).toBe("generic");
  });
});

describe("built-in profiles", () => {
  it("have the tools that their environments offer", () => {
    const offered = {
      coding: ["file_read", "file_write", "shell", "search", "git", "submit", "finish"],
      conversation: ["respond", "think", "query_stats", "send_message", "web_search"],
      engineering: ["respond", "think", "read_file", "grep", "bash", "git", "submit", "finish"],
      advisory: ["respond", "think", "knowledge_base", "web_search", "submit", "finish"],
      discussion: ["respond", "think", "knowledge_base", "submit"],
    };
    for (const [domain, tools] of Object.entries(offered)) {
      const classifier = createToolClassifier(getDomainProfile(domain));
      for (const tool of tools) expect(classifier.categoryOf(tool), `${domain}: ${tool}`).not.toBeNull();
    }
  });

  it("use no name for two tools of one domain", () => {
    for (const domain of listDomainProfiles()) {
      const names = getDomainProfile(domain).tools.flatMap((tool) => [tool.name, ...tool.aliases]);
      expect(new Set(names).size, domain).toBe(names.length);
    }
  });

  it("know the tools of real coding agents", () => {
    const { categoryOf } = createToolClassifier(getDomainProfile("coding"));
    expect(categoryOf("str_replace_editor", { command: "view", path: "a" })).toBe("read");
    for (const command of ["create", "str_replace", "insert", "undo_edit"]) {
      expect(categoryOf("str_replace_editor", { command })).toBe("write");
    }
    expect(["execute_bash", "execute_ipython_cell", "exec_command"].map((name) => categoryOf(name))).toEqual([
      "execute",
      "execute",
      "execute",
    ]);
    expect(["find_file", "search_dir", "search_file"].map((name) => categoryOf(name))).toEqual([
      "search",
      "search",
      "search",
    ]);
    expect(["open", "view", "edit", "create", "goto", "scroll_down"].map((name) => categoryOf(name))).toEqual(
      ["read", "read", "write", "write", "navigate", "navigate"],
    );
  });
});

describe("choosing a domain", () => {
  it.for([
    [{ explicit: "crew", declared: "coding", toolNames: ["click"] }, "crew"],
    [{ declared: "advisory", toolNames: ["bash"] }, "advisory"],
    [{ declared: "no-such-domain", toolNames: ["bash"] }, "coding"],
    [{ toolNames: ["bash", "bash", "submit"] }, "coding"],
    [{ toolNames: ["str_replace_editor", "execute_bash", "finish", "task_made_up"] }, "coding"],
    [{ toolNames: ["click", "goto", "extract_text"] }, "browser"],
    [{ toolNames: ["respond"] }, "conversation"],
    [{ toolNames: ["respond", "knowledge_base", "web_search"] }, "advisory"],
    [{ toolNames: ["get_patient_record", "search_patients", "respond"] }, "generic"],
    [{ toolNames: ["think", "submit"] }, "generic"],
    [{ toolNames: [] }, "generic"],
  ] as const)("takes %j for %s", ([given, expected]) => {
    expect(chooseDomain(given).domain).toBe(expected);
  });

  it("does not depend on the order of the tools or on how often they were called", () => {
    const tools = fc.array(fc.constantFrom("bash", "respond", "click", "kb", "search", "zzz", "think"));
    fc.assert(
      fc.property(tools, (toolNames) => {
        expect(chooseDomain({ toolNames: [...toolNames, ...toolNames].reverse() })).toEqual(
          chooseDomain({ toolNames }),
        );
      }),
    );
  });
});

describe("a custom profile", () => {
  it("is read from JSON and fills in what is missing", () => {
    const profile = parseDomainProfile(
      '{"domain": "ops", "tools": [{"name": "page", "category": "write", "aliases": ["alert"]}], "task_fields": {"who": "on call"}, "default_rubric_weights": {"goal_progress": 0.9, "non_redundancy": 0, "clarity": 0.1}}',
      "ops.json",
    );
    expect(profile).toMatchObject({ domain: "ops", displayName: "ops", taskFields: ["who"] });
    expect(profile.outcomeSpec).toEqual(getDomainProfile("generic").outcomeSpec);
    expect(rubricsOf(profile).map(({ id, weight }) => [id, weight])).toEqual([
      ["goal_progress", 0.9],
      ["tool_choice", 0.2],
      ["param_correctness", 0.2],
      ["info_utilization", 0.15],
      ["clarity", 0.1],
    ]);
  });

  it.for([
    ["{", "Domain profile p.json: not valid JSON"],
    [{ tools: [] }, "Domain profile p.json: domain: "],
    [{ domain: "x", tools: [{ name: "a", category: "fly" }] }, "tools.0.category"],
    [
      { domain: "x", default_rubric_weights: { tool_selection: 0.2 } },
      "default_rubric_weights.tool_selection: no such rubric",
    ],
  ] as const)("%j is refused with the place and the reason", ([json, message]) => {
    expect(() => parseDomainProfile(json, "p.json")).toThrow(DomainProfileError);
    expect(() => parseDomainProfile(json, "p.json")).toThrow(message);
  });
});
