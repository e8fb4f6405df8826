import { creator as preset } from "@secretlint/secretlint-rule-preset-recommend";
import type { Detector } from "../detector.ts";

type PresetContext = Parameters<typeof preset.create>[0];
type RuleCreator = Parameters<PresetContext["registerRule"]>[0];
type RuleContext = Parameters<RuleCreator["create"]>[0];
type RuleFile = NonNullable<ReturnType<RuleCreator["create"]>["file"]>;

interface Rule {
  readonly id: string;
  /** A literal that every match of the rule holds; the rule runs only around it. */
  readonly triggers: readonly string[];
  readonly file: RuleFile;
}

/**
 * Literals that each rule's patterns require (lower case; compared to the lower-cased surroundings).
 * Left out on purpose: `filter-comments`, which would let a comment in a log switch redaction off;
 * `gcp`, which reads key files; `privatekey`, `basicauth` and `database-connection-string`, whose
 * ground `private-key` and `url-credential` cover more widely (truncated blocks, any scheme).
 */
const triggersByRule: Readonly<Record<string, readonly string[]>> = {
  "secretlint-rule-aws": ["secret"],
  "secretlint-rule-npm": ["_authtoken", "npm_"],
  "secretlint-rule-slack": ["xoxb-", "xoxp-", "xapp-", "xoxa-", "xoxo-", "xoxr-", "hooks.slack.com"],
  "secretlint-rule-sendgrid": ["sg."],
  "secretlint-rule-shopify": ["shppa_", "shpca_", "shpat_", "shpss_"],
  "secretlint-rule-stripe": ["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
  "secretlint-rule-github": ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
  "secretlint-rule-gitlab": ["glpat-"],
  "secretlint-rule-grafana": ["glc_", "glsa_"],
  "secretlint-rule-openai": ["sk-"],
  "secretlint-rule-anthropic": ["sk-ant-api0"],
  "secretlint-rule-groq": ["gsk_"],
  "secretlint-rule-huggingface": ["hf_"],
  "secretlint-rule-linear": ["lin_api_"],
  "secretlint-rule-notion": ["ntn_"],
  "secretlint-rule-1password": ["ops_ey"],
  "secretlint-rule-hashicorp-vault": ["hvs.", "hvb.", "hvr."],
  "secretlint-rule-vercel": ["vcp_", "vci_", "vca_", "vcr_", "vck_"],
  "secretlint-rule-databricks": ["dapi"],
  "secretlint-rule-docker": ["dckr_pat_"],
  "secretlint-rule-figma": ["figd_"],
  "secretlint-rule-cloudflare": ["cfk_", "cfut_", "cfat_"],
  "secretlint-rule-tailscale": ["tskey-"],
};

/** Characters kept before and after an anchor: no rule in use can match further away. */
const BEFORE = 320;
const AFTER = 13_000;
/** Anchors further apart get windows of their own, which overlap: the rules' matchers have a bounded stack. */
const MAX_WINDOW = 131_072;

/** Ranges of the rule that runs now; the rules run one at a time and synchronously. */
let ranges: (readonly [number, number])[] = [];

const ruleContext: RuleContext = {
  sharedOptions: {},
  createTranslator: () => (messageId) => ({ message: "", messageId: String(messageId), data: {} }),
  report: ({ range }) => {
    ranges.push(range);
  },
  ignore: () => undefined,
};

const createRules = (): readonly Rule[] => {
  const rules: Rule[] = [];
  preset.create(
    {
      sharedOptions: {},
      registerRule: (creator) => {
        const id = creator.meta.id.replace(/^@secretlint\//, "");
        const triggers = triggersByRule[id];
        if (triggers === undefined) return;
        const { file } = (creator as unknown as RuleCreator).create(ruleContext, {});
        if (file) rules.push({ id, triggers, file });
      },
    } as PresetContext,
    {},
  );
  return rules;
};

const rules = createRules();

const keyOfRule = /secret_?access_?key["'\s]*$|_authToken$/i;

/** Same offsets, ASCII only: the rules reject a token that touches a letter of any script. */
const toAscii = (text: string): string => text.replace(/[^\x00-\x7f]/g, " ");

const source = (content: string): Parameters<RuleFile>[0] =>
  ({ content, filePath: "text", ext: "", contentType: "text" }) as Parameters<RuleFile>[0];

/**
 * Secretlint's recommended rules, called directly and synchronously on the surroundings of
 * `tokenPrefix`, `assignment` and `url` anchors.
 */
export const knownRules: Detector = {
  name: "known-rules",
  detect: ({ text, anchors, add }) => {
    const places: number[] = [...anchors.tokenPrefix];
    for (const at of anchors.assignment) {
      // Only the rules for AWS and npm anchor on a key: …SECRET_ACCESS_KEY, _authToken.
      const last = text.charCodeAt(at - 1) | 32;
      if ((last === 121 || last === 110 || last < 65) && keyOfRule.test(text.slice(Math.max(0, at - 32), at)))
        places.push(at);
    }
    for (const at of anchors.url) {
      if (text.startsWith("hooks.", at + 3)) places.push(at);
    }
    if (places.length === 0) return;
    places.sort((a, b) => a - b);
    let next = 0;
    while (next < places.length) {
      const first = places[next] ?? 0;
      let last = first;
      // Neighbouring windows become one, so that the work stays linear in the text.
      while (next < places.length && (places[next] ?? 0) - last <= AFTER && last - first <= MAX_WINDOW) {
        last = places[next] ?? last;
        next += 1;
      }
      const from = Math.max(0, first - BEFORE);
      const window = toAscii(text.slice(from, last + AFTER));
      const lowered = window.toLowerCase();
      for (const rule of rules) {
        if (!rule.triggers.some((trigger) => lowered.includes(trigger))) continue;
        ranges = [];
        const result: unknown = rule.file(source(window));
        if (result instanceof Promise) throw new TypeError(`rule ${rule.id} is not synchronous`);
        for (const [start, end] of ranges) add({ type: "API_KEY", start: from + start, end: from + end });
      }
    }
  },
};
