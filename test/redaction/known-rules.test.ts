import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { createRedactor } from "../../shared/redaction/redactor.ts";
import { bareSecrets, contextSecrets } from "./samples.ts";

const redactor = createRedactor(redactionConfigSchema.parse({}));

/** Ranges the whole preset reports, run the ordinary way over the whole text. */
const reported = async (content: string): Promise<readonly (readonly [number, number])[]> => {
  const result = await lintSource({
    source: { filePath: "/.npmrc", content, contentType: "text" },
    options: { config: { rules: [{ id: "preset", rule: creator }] }, noPhysicFilePath: true },
  });
  return result.messages.map(({ range }) => [range[0], range[1]]);
};

/** Strings that the preset's own patterns match, made from the shapes its rules document. */
const shapes: readonly (readonly [string, RegExp])[] = [
  ["aws", /^aws_secret_access_key = "[A-Za-z0-9/+]{39}[A-Za-z0-9]"$/],
  ["npm", /^npm_[A-Za-z0-9]{36}$/],
  ["npm registry", /^_authToken=[a-z0-9]{12}-[0-9]{8}$/],
  ["slack", /^xox[bp]-[0-9]{12}-[a-zA-Z0-9]{24}$/],
  ["slack hook", /^https:\/\/hooks\.slack\.com\/services\/T[A-Z0-9]{8}\/B[A-Z0-9]{8}\/[a-zA-Z0-9]{24}$/],
  ["sendgrid", /^SG\.[a-zA-Z0-9]{22}\.[a-zA-Z0-9]{43}$/],
  ["shopify", /^shp(pa|ca|at|ss)_[a-f0-9]{32}$/],
  ["stripe", /^[sr]k_(live|test)_[a-zA-Z0-9]{24,99}$/],
  ["github", /^gh[pousr]_[A-Za-z0-9]{36}$/],
  ["github fine-grained", /^github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}$/],
  ["gitlab", /^glpat-[A-Za-z0-9]{20}$/],
  ["grafana", /^glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}$/],
  ["openai", /^sk-[a-zA-Z0-9]{20}T3BlbkFJ[a-zA-Z0-9]{20}$/],
  ["anthropic", /^sk-ant-api03-[A-Za-z0-9]{93}AA$/],
  ["groq", /^gsk_[a-zA-Z0-9]{52}$/],
  ["hugging face", /^hf_[a-zA-Z]{34}$/],
  ["linear", /^lin_api_[a-zA-Z0-9]{40}$/],
  ["notion", /^ntn_[0-9]{11}[A-Za-z0-9]{35}$/],
  ["vault", /^hvs\.[A-Za-z0-9]{95}$/],
  ["vercel", /^vc[piark]_[A-Za-z0-9]{24}$/],
  ["databricks", /^dapi[a-f0-9]{32}$/],
  ["docker", /^dckr_pat_[a-zA-Z0-9]{27}$/],
  ["figma", /^figd_[A-Za-z0-9]{40}$/],
  ["cloudflare", /^cf(k|ut|at)_[A-Za-z0-9]{40}[0-9a-f]{8}$/],
  ["tailscale", /^tskey-auth-[0-9A-Za-z]{12}-[0-9A-Za-z]{32}$/],
  ["basic auth", /^https:\/\/[a-z]{6}[0-9]{2}:[a-z]{4}[0-9]{6}@[a-z]{6}\.com$/],
  ["database", /^(postgres|mysql|mongodb):\/\/[a-z]{6}[0-9]:[a-z]{4}[0-9]{6}@[a-z]{6}\.com\/db$/],
];

const overlaps = (content: string, [start, end]: readonly [number, number]): boolean =>
  redactor.scan(content).some((finding) => finding.start < end && finding.end > start);

describe("the recommended secretlint rules", () => {
  it.each(shapes)("whatever the preset reports for %s is found", async (_, shape) => {
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(shape), async (secret) => {
        const content = `first line\n${secret}\nlast line`;
        for (const range of await reported(content)) {
          hits += 1;
          expect(overlaps(content, range), secret).toBe(true);
        }
      }),
      { numRuns: 10 },
    );
    expect(hits).toBeGreaterThan(0);
  });

  it("whatever the preset reports for the planted samples is found", async () => {
    for (const content of [
      ...bareSecrets.map(([, , value]) => value),
      ...contextSecrets.map(([, text]) => text),
    ]) {
      for (const range of await reported(content)) expect(overlaps(content, range), content).toBe(true);
    }
  });

  it("a disabling comment in a log does not switch redaction off", () => {
    const text = `/* secretlint-disable */ ghp_${"a1B2".repeat(9)}`;
    expect(redactor.scan(text)).toHaveLength(1);
  });
});
