import type { CredentialKind } from "./credential-key.ts";
import { credentialKind } from "./credential-key.ts";
import { isPlaceholder } from "./placeholder.ts";

/** How a value was written; code, where names stand for values, needs more doubt than a literal. */
export type ValueForm = "quoted" | "environment" | "tight" | "loose" | "colon" | "option";

/** Words that stand where a value would: types, states, schemes, documentation. */
const fillerWords = new Set(
  "test testing tests fake mock foo bar foobar none null nil undefined true false string str text int integer number bool boolean bytes object array dict list any unknown never void optional required hidden disabled enabled default auto empty unset missing invalid expired valid absent present present. ok yes no on off todo tbd n/a na password passwd passphrase pwd pass secret secrets token tokens key apikey api_key api-key credential credentials auth authorization username user login example sample dummy placeholder changeme change_me change-me redacted removed masked censored filtered basic bearer digest negotiate oauth oauth2 jwt apitoken api_token access_token session cookie env environ environment config settings value values name field label input output data self this the a an is was are be must should will can not and or with for from to of in flag option argument option. argument. flag. parameter prompt header file path url uri type format method callback function".split(
    " ",
  ),
);

const algorithm =
  /^(?:sha|md|hmac|aes|rsa|dsa|utf|base|oauth|http|int|uint|float|double|rs|hs|es|ps|ed|ec|bcrypt|scrypt|argon|pbkdf|gpt|o|v|python|py|type|arg|param|var|val|tmp|step|test|user|item|foo|bar)[-_]?\d[\d.]*$/i;

/** Variables, templates, masks, and documentation stand-ins: no secret, whatever the key says. */
export const isTemplate = (value: string): boolean => {
  if (value === "" || isPlaceholder(value)) return true;
  if (/^\$(?:\{|\(|[A-Za-z_]\w*$)/.test(value) || /^(?:\{\{|<%|%\(|%\{|#\{|@\{)/.test(value)) return true;
  if (/^<[^<>]{0,80}>$/.test(value) || /^\{[^{}]{0,80}\}$/.test(value) || /^\[[^[\]]{0,80}\]$/.test(value))
    return true;
  if (/^[^A-Za-z0-9]*%[sdr][^A-Za-z0-9]*$|^%\w{1,40}%$|^__\w{1,60}__$|^\*+$/.test(value)) return true;
  if (/^([^\dA-Za-z])\1*$/.test(value) || /^([xX*.•])\1{2,}$/.test(value) || /^(.)\1{3,}$/.test(value))
    return true;
  if (/(?:\.{3}|…)$/.test(value) && value.length <= 12) return true;
  if (
    /^(?:your|ваш|<your|\[your|insert|replace|enter|put|add)[-_ ]?(?:own|the|api|secret|access|auth|token|password|passwd|key|client|hf|openai|anthropic|here|actual|real|value|db|database|\w*_)/i.test(
      value,
    )
  )
    return true;
  if (/^(?:x{3,}|\*{3,})[-_x*]*$/i.test(value)) return true;
  return /^your[a-z_-]*(?:key|token|password|secret|here)$/i.test(value);
};

const words = (value: string): readonly string[] => value.trim().split(/\s+/);

/** Natural language rather than a secret: several plain words. */
const isProse = (value: string): boolean => {
  const all = words(value);
  if (all.length < 2) return false;
  const plain = all.filter((word) => /^["'(]?\p{L}[\p{L}'’-]*["')]?[.,:;!?)]*$/u.test(word)).length;
  return plain >= Math.max(2, all.length - 1 - Math.floor(all.length / 5)) || plain / all.length >= 0.7;
};

/** A path, link or reference to a secret kept elsewhere. */
const isReference = (value: string): boolean =>
  /^(?:https?|file|vault|op|arn|secretsmanager|projects|env|gs|s3):/i.test(value) ||
  /^(?:\.{0,2}|~)\/[\w.-]+(?:\/[\w.-]+)+\/?$/.test(value) ||
  /^[A-Z]:\\/.test(value) ||
  /^[\w./-]+\.(?:py|js|ts|json|ya?ml|pem|key|crt|txt|md|env|toml|cfg|ini|sh|html|go|rs|java)$/i.test(value);

const isIdentifier = (value: string): boolean => /^[A-Za-z_$][\w$]*(?:[.:-]+[A-Za-z_$][\w$]*)*$/.test(value);

/** A name that itself speaks of credentials ("access_token", "DB_PASSWORD", "password2"). */
const namesCredential = (value: string): boolean =>
  isIdentifier(value) &&
  !/\d{2,}/.test(value) &&
  (/(?:^|[_.-])(?:key|token|secret|password|passwd|pwd|auth|credentials?|cookie)s?\d?(?:$|[_.-])/i.test(
    value,
  ) ||
    credentialKind(value) !== undefined ||
    credentialKind(value.replace(/\d$/, "")) !== undefined);

const digits = (value: string): number => value.replace(/\D/g, "").length;
const hasLetterAndDigit = (value: string): boolean => /[A-Za-z]/.test(value) && /\d/.test(value);
const hasSymbol = (value: string): boolean => /[^\w\s.,:;()[\]{}'"`-]/.test(value);

const judgeQuoted = (kind: CredentialKind, value: string): boolean => {
  if (/\s/.test(value)) {
    if (isProse(value) || kind === "token" || kind === "auth") return false;
    return kind === "password" ? !/^\s|\s$|\n/.test(value) && hasLetterAndDigit(value) : false;
  }
  switch (kind) {
    case "password":
      return !/^[^\x00-\x7f]+$/.test(value) && !/^[:;,.?!%(){}[\]|=+*/<>~-]+$/.test(value);
    case "secret":
      return (
        hasLetterAndDigit(value) || hasSymbol(value) || digits(value) >= 8 || /^[A-Za-z]{5,}$/.test(value)
      );
    default:
      // The text of a model's token is often a value of "token": only random-looking ones count.
      return (value.length >= 6 && hasLetterAndDigit(value)) || /^[A-Za-z0-9+/=_-]{24,}$/.test(value);
  }
};

const judgeBare = (input: { kind: CredentialKind; value: string; form: ValueForm }): boolean => {
  const { kind, value, form } = input;
  if (kind === "cookie") return false;
  const mixed = hasLetterAndDigit(value);
  if (isIdentifier(value)) {
    if (!mixed) {
      if (/[._$]/.test(value)) return false;
      if (form === "environment") return kind === "password" || value.length >= 12;
      return (
        kind === "password" &&
        (form === "option" || form === "colon" || form === "tight") &&
        value.length >= 6 &&
        /^[a-z]+$/.test(value)
      );
    }
    if (form === "environment") return true;
    if (value.includes(".") && digits(value) < 3) return false;
    if (form === "loose")
      return kind === "password"
        ? digits(value) >= 1 && !/_/.test(value)
        : value.length >= 8 && digits(value) >= 2;
    if (kind === "password") return true;
    return value.length >= 8;
  }
  if (/^\d+$/.test(value)) return kind === "password" || value.length >= 8;
  if (/^-?\d+(?:\.\d+)?%?$/.test(value)) return false;
  if (kind === "password") return mixed || hasSymbol(value);
  return value.length >= 6 && (mixed || (value.length >= 12 && hasSymbol(value)));
};

/**
 * Whether a value given to a credential key is a secret. Errs to yes for literals and passwords, and
 * to no for what reads as code, prose, documentation or a reference.
 */
export const isSecretValue = (input: {
  readonly kind: CredentialKind;
  readonly value: string;
  readonly form: ValueForm;
}): boolean => {
  const { kind, value, form } = input;
  if (value.length < 4 || isTemplate(value)) return false;
  if (fillerWords.has(value.toLowerCase()) || algorithm.test(value)) return false;
  if (kind === "cookie") return form === "quoted" && /^[^\s=;]+=[^\s;]{4,}/.test(value);
  if (isReference(value) || (form !== "option" && namesCredential(value))) return false;
  return form === "quoted" ? judgeQuoted(kind, value) : judgeBare({ kind, value, form });
};
