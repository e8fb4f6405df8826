/** A provider's token: a literal that ends in a rare character, then a body. */
export interface TokenPrefix {
  readonly literal: string;
  /** Sticky pattern for the body after the literal. */
  readonly body: RegExp;
  /** Further test of the body, where the pattern alone also fits ordinary words. */
  readonly accept?: (body: string) => boolean;
}

/** Bound of a body, so that the matcher's stack is too; what runs on is followed character by character. */
export const MAX_BODY = 8192;

const hasDigit = (body: string): boolean => /\d/.test(body);
/** A long unbroken run, or a digit somewhere: rules out CSS classes and kebab-case names. */
const looksRandom = (body: string): boolean => /[A-Za-z0-9]{20}/.test(body) || hasDigit(body);

const alnum = (min: number): RegExp => new RegExp(`[A-Za-z0-9]{${min},${MAX_BODY}}`, "y");
const word = (min: number): RegExp => new RegExp(`[A-Za-z0-9_-]{${min},${MAX_BODY}}`, "y");
const all = (literals: string, body: RegExp, accept?: (body: string) => boolean): readonly TokenPrefix[] =>
  literals.split(" ").map((literal) => (accept ? { literal, body, accept } : { literal, body }));

/**
 * Known prefixes. Bodies are matched greedily and lower bounds are loose: a token cut short by a
 * log is still a secret.
 */
export const tokenPrefixes: readonly TokenPrefix[] = [
  ...all("sk-", word(20), looksRandom),
  ...all("xai- pplx- nvapi- tvly- csk- fw- gsk- sk-or-", word(20), hasDigit),
  ...all("ghp_ gho_ ghu_ ghr_ ghv_", alnum(20)),
  ...all("ghs_", /[A-Za-z0-9_.-]{20,8192}/y, (body) => looksRandom(body) || /^\w{36}/.test(body)),
  ...all("github_pat_", /[A-Za-z0-9_]{22,8192}/y),
  ...all(
    "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- glffct-",
    /[A-Za-z0-9_.-]{16,8192}/y,
  ),
  ...all("xoxb- xoxp- xoxa- xoxo- xoxr- xoxs- xoxe- xapp- xoxc- xoxd-", /[A-Za-z0-9%.-]{6,8192}/y),
  ...all("sk_live_ sk_test_ rk_live_ rk_test_ whsec_", /[A-Za-z0-9+/=]{16,8192}/y),
  ...all("npm_", alnum(36)),
  ...all("pypi-", word(50)),
  ...all("rubygems_", /[a-f0-9]{48}/y),
  ...all("hf_ api_org_", alnum(30)),
  ...all("gsk_", alnum(40)),
  ...all("r8_", alnum(36)),
  ...all("SG.", /[A-Za-z0-9_-]{10,8192}\.[A-Za-z0-9_-]{10,8192}/y),
  ...all("shpat_ shpca_ shppa_ shpss_ shpua_", alnum(24)),
  ...all("lin_api_ lin_oauth_", /[A-Za-z0-9_]{24,8192}/y),
  ...all("ntn_", alnum(40)),
  ...all("secret_", alnum(40), hasDigit),
  ...all("dop_v1_ doo_v1_ dor_v1_", /[a-f0-9]{40,8192}/y),
  ...all("dapi", /[A-Fa-f0-9]{32}(?:-\d)?/y),
  ...all("dckr_pat_ dckr_oat_", word(20)),
  ...all("figd_", word(36)),
  ...all("glc_", /[A-Za-z0-9+/]{32,8192}={0,2}/y),
  ...all("glsa_", /[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}/y),
  ...all("ops_", /ey[A-Za-z0-9+/=]{60,8192}/y),
  ...all("hvs. hvb. hvr.", word(24)),
  ...all("vcp_ vci_ vca_ vcr_ vck_", alnum(20)),
  ...all("cfk_ cfut_ cfat_", alnum(40)),
  ...all("tskey-", /[a-z]{2,20}-[0-9A-Za-z_]{8,40}-[0-9A-Za-z_]{16,60}/y),
  ...all("sntrys_ sntryu_ sbp_ nfp_ rnd_ tgp_v1_ phx_ pul- e2b_ fo1_ rpa_", word(30), hasDigit),
  ...all("sb_secret_ pscale_tkn_ pscale_pw_ pscale_oauth_ EZAK_", word(24)),
  ...all("GOCSPX-", word(24)),
  ...all("ya29.", /[A-Za-z0-9_.-]{30,8192}/y),
  ...all("AQ.", /Ab8[A-Za-z0-9_-]{40,8192}/y),
  ...all(
    "PMAK- NRAK- xkeysib- sq0atp- sq0csp- CFPAT- dp.pt. dp.st. lsv2_pt_ lsv2_sk_",
    /[A-Za-z0-9_.-]{20,8192}/y,
  ),
  ...all("atlasv1.", word(50)),
  ...all("AGE-SECRET-KEY-", /1[A-Z0-9]{50,8192}/y),
  ...all("key-", /[a-f0-9]{32}(?![a-f0-9])/y),
  ...all("pat-", /(?:na|eu)\d-[a-f0-9-]{36}/y),
  ...all("ATATT ATCTT", /3[A-Za-z0-9_=-]{60,8192}/y),
  ...all("AKIA ASIA", /[A-Z0-9]{16}(?![A-Za-z0-9])/y),
  ...all("A3T", /[A-Z0-9]{17}(?![A-Za-z0-9])/y),
  ...all("AIza", /[A-Za-z0-9_-]{35}/y),
];

const byLastThree = new Map<number, TokenPrefix[]>();
/** Hashes of the last three characters of all literals: the cheap test before the map. */
const seen = new Uint8Array(65_536);
const hash = (code: number): number =>
  ((code >>> 14) * 512 + ((code >>> 7) & 127) * 16 + (code & 127)) & 0xffff;

const code3 = (text: string, index: number): number => {
  const a = text.charCodeAt(index - 2);
  const b = text.charCodeAt(index - 1);
  const c = text.charCodeAt(index);
  return a < 128 && b < 128 && c < 128 ? (a << 14) | (b << 7) | c : 0;
};

for (const prefix of tokenPrefixes) {
  const code = code3(prefix.literal, prefix.literal.length - 1);
  seen[hash(code)] = 1;
  const list = byLastThree.get(code);
  if (list) list.push(prefix);
  else byLastThree.set(code, [prefix]);
}

/** Whether a prefix may end in three characters, told by their low bytes. */
export const mayEndPrefix = (a: number, b: number, c: number): boolean =>
  seen[(a * 512 + b * 16 + c) & 0xffff] === 1;

const startsToken = (text: string, start: number): boolean => {
  const before = text.charCodeAt(start - 1);
  return !(
    (before >= 48 && before <= 57) ||
    (before >= 65 && before <= 90) ||
    (before >= 97 && before <= 122)
  );
};

/** The prefixes whose literal ends with the character at `index` and that start a word. */
export const prefixesEndingAt = (text: string, index: number): readonly TokenPrefix[] =>
  (byLastThree.get(code3(text, index)) ?? []).filter(({ literal }) => {
    const start = index + 1 - literal.length;
    return start >= 0 && text.startsWith(literal, start) && startsToken(text, start);
  });

/** Whether any known prefix ends with the character at `index`. */
export const endsWithTokenPrefix = (text: string, index: number): boolean =>
  index >= 2 && seen[hash(code3(text, index))] === 1 && prefixesEndingAt(text, index).length > 0;
