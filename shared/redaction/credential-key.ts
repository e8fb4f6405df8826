import { isQuote } from "./characters.ts";

/**
 * Which names hold credentials.
 * - `password`: any literal value is a secret.
 * - `secret`: keys and qualified tokens; the value must look like a value.
 * - `token`: the bare word, very common in language-model code; needs a clearly random value.
 * - `auth`: often a scheme or an object; needs a clearly random value.
 * - `cookie`: a header holding `name=value` pairs.
 */
export type CredentialKind = "password" | "secret" | "token" | "auth" | "cookie";

/** Words before "token" that make it a vocabulary entry, a cursor or a parser state. */
const harmlessTokens = new Set(
  "eos bos pad unk sep cls mask special stop next prev previous start end begin first last current cur image audio video page continuation cancel cancellation sync text word sub new per max min num n total input output prompt completion think thinking tool control parse parser lexer syntax ast peek string number keyword operator identifier comment whitespace newline indent dedent left right open close delimiter separator placeholder no is has one each every this single by a the of mark role system turn usage cached reasoning".split(
    " ",
  ),
);

const keyOwners = new Set(
  "api access secret private encryption encrypt signing sign signature account auth shared storage master service admin consumer subscription deploy client openai anthropic deepseek groq azure stripe sendgrid gemini google mistral cohere openrouter dashscope zhipu moonshot minimax qwen tavily serper huggingface wandb langsmith langfuse app application hmac jwt webhook function host ssh rsa ecdsa aes license integration".split(
    " ",
  ),
);

const cjkKeys = /(?:密码|口令|密钥|私钥|令牌|パスワード|비밀번호)$/;

const suffixes: readonly (readonly [RegExp, CredentialKind])[] = [
  [/(?:password|passwd|passphrase|passcode|pwd)\d?$/, "password"],
  [
    /(?:apikey|accesskey|secretkey|privatekey|accountkey|encryptionkey|signingkey|authkey|masterkey)$/,
    "secret",
  ],
  [/(?:accesstoken|authtoken|refreshtoken|sessiontoken|bearertoken|apitoken|idtoken|bottoken)$/, "secret"],
  [/(?:clientsecret|appsecret|apisecret|sharedsecret|webhooksecret)$/, "secret"],
];

/**
 * Classifies a key name ("DB_PASSWORD", "clientSecret", "x-api-key", "spring.datasource.password").
 * Returns undefined for names that hold no credential ("max_tokens", "tokenizer", "primary_key").
 */
export const credentialKind = (name: string): CredentialKind | undefined => {
  if (name.length > 128) return credentialKind(name.slice(-128));
  if (cjkKeys.test(name)) return "password";
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  const last = words.at(-1);
  if (last === undefined) return undefined;
  const before = words.at(-2);
  if (before === "no" || before === "is" || before === "has" || before === "show" || before === "hide") {
    return undefined;
  }
  for (const [pattern, kind] of suffixes) if (pattern.test(last)) return kind;
  switch (last) {
    case "pass":
    case "pw":
      return (before !== undefined && before !== "to") || name === "PASS" || name === "PW"
        ? "password"
        : undefined;
    case "secret":
    case "credential":
    case "credentials":
      return "secret";
    case "token":
      if (before === undefined) return "token";
      return harmlessTokens.has(before) ? undefined : "secret";
    case "key":
      if (before === "access" && words.at(-3) === "key") return undefined;
      return before !== undefined && keyOwners.has(before) ? "secret" : undefined;
    case "pat":
      return before === undefined ? undefined : "secret";
    case "auth":
    case "authorization":
      return "auth";
    case "cookie":
      return "cookie";
    default:
      return undefined;
  }
};

const lower = (text: string, index: number): number => text.charCodeAt(index) | 32;

/**
 * A cheap test whether the name that ends before `end` could be a credential key; may say yes wrongly,
 * never no for a name `credentialKind` accepts.
 */
export const endsLikeCredentialKey = (text: string, end: number): boolean => {
  const code = text.charCodeAt(end - 1);
  if (code > 127)
    return (
      code === 0x7801 ||
      code === 0x4ee4 ||
      code === 0x94a5 ||
      code === 0x724c ||
      code === 0x30c9 ||
      code === 0xd638
    );
  // A digit may follow a password word ("password1").
  const at = code >= 48 && code <= 57 ? end - 1 : end;
  const c1 = lower(text, at - 2);
  const c2 = lower(text, at - 3);
  const c3 = lower(text, at - 4);
  switch (lower(text, at - 1)) {
    case 100: // d: password, passwd, pwd
      return c1 === 114 ? c2 === 111 && c3 === 119 : c1 === 119 && (c2 === 115 || c2 === 112);
    case 101: // e: passphrase, passcode, cookie
      return (
        (c1 === 115 && c2 === 97 && c3 === 114) ||
        (c1 === 100 && c2 === 111 && c3 === 99) ||
        (c1 === 105 && c2 === 107)
      );
    case 115: // s: pass, credentials
      return (c1 === 115 && c2 === 97 && c3 === 112) || (c1 === 108 && c2 === 97);
    case 116: // t: secret, pat
      return (c1 === 101 && c2 === 114 && c3 === 99) || (c1 === 97 && c2 === 112);
    case 110: // n: token, authorization
      return c1 === 101
        ? c2 === 107 && c3 === 111
        : c1 === 111 && c2 === 105 && lower(text, at - 5) === 97 && lower(text, at - 6) === 122;
    case 121: {
      // y: …key, but not "key" alone
      if (c1 !== 101 || c2 !== 107) return false;
      const before = text.charCodeAt(at - 4);
      return before === 95 || before === 45 || before === 46 || (before | 32) > 96;
    }
    case 119: // w: _pw
      return c1 === 112;
    case 104: // h: auth
      return c1 === 116 && c2 === 117;
    case 108: // l: credential
      return c1 === 97 && c2 === 105;
    default:
      return false;
  }
};

/** Where the name before the operator at `index` ends: through the rest of the operator, blanks, quotes. */
export const keyEnd = (text: string, index: number): number => {
  let end = index;
  // ":" of ":=", "=" of "==" and "=>", "?" of "?:"
  for (let code = text.charCodeAt(end - 1); index - end < 3; code = text.charCodeAt(end - 1)) {
    if (code !== 58 && code !== 61 && code !== 63) break;
    end -= 1;
  }
  for (let code = text.charCodeAt(end - 1); code === 32 || code === 9; code = text.charCodeAt(end - 1)) {
    end -= 1;
    if (index - end > 16) break;
  }
  for (let skipped = 0; skipped < 12; skipped += 1) {
    const code = text.charCodeAt(end - 1);
    if (!isQuote(code) && code !== 92 && code !== 93) break;
    end -= 1;
  }
  return end;
};
