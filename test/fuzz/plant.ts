import type { Random } from "./random.ts";
import { keyedSecret, pickSecret, type Secret } from "./secrets.ts";
import { isObject, type Json, type Path, placesOf, put, valueAt } from "./tree.ts";

/** A log with a secret in it. */
export interface Planted {
  readonly value: Json;
  readonly form: string;
  readonly secret: string;
  /** Appears nowhere in what comes out. */
  readonly needle: string;
}

const PLACES = 4000;

type Form = (value: Json, secret: Secret, random: Random) => Json | undefined;

/** Ways a secret may stand in a log; undefined where the log has no place for it. */
const forms: Readonly<Record<string, Form>> = {
  "in a text": (value, secret, random) =>
    inText(value, random, (text) => insertedInto(text, secret.text, random)),
  "next to Chinese": (value, secret, random) =>
    secret.bare ? inText(value, random, (text) => `${text} 密钥是${secret.text}，请保密。`) : undefined,
  "behind an escape": (value, secret, random) =>
    secret.bare
      ? inText(value, random, (text) => {
          const before = random.pick(["\\n", "\\t", "\\\\n", "\u001b[31m", "\\u0027", "%20"]);
          return `${text} {"log": "x${before}${secret.text}\\n"}`;
        })
      : undefined,
  "as a whole text": (value, secret, random) => inText(value, random, () => secret.text),
  "in a nested argument": (value, secret, random) => inArguments(value, secret, random),
  "in the definition of a tool": (value, secret, random) => inTools(value, secret, random),
  "in metadata": (value, secret, random) => {
    const key = random.pick(["metadata", "extra", "info", "instance", "test_result", "custom_field", "tags"]);
    return intoObject(value, random, { [key]: { notes: ["x", { deep: secret.text }] } });
  },
  "as a key": (value, secret, random) =>
    secret.bare
      ? intoObject(value, random, { [secret.text]: random.pick([1, null, "x", {}, { y: [true] }]) })
      : undefined,
  "in signed thinking": (value, secret, random) => inThinking(value, secret, random),
  "as token ids": (value, secret, random) => asTokens(value, secret, random),
  "as token texts": (value, secret, random) => asTokenTexts(value, secret, random),
};

/** Puts a random secret somewhere into a log, in a random form. */
export function plant(value: Json, random: Random): Planted {
  if (random.chance(0.1)) {
    const { key, value: needle } = keyedSecret(random);
    return {
      value: intoObject(value, random, { [key]: needle }) ?? { [key]: needle },
      form: "as the value of a credential's key",
      secret: key,
      needle,
    };
  }
  const secret = pickSecret(random);
  const { name, needle } = secret;
  for (let tries = 0; tries < 5; tries += 1) {
    const form = random.pick(Object.keys(forms));
    const planted = forms[form]?.(value, secret, random);
    if (planted !== undefined) return { value: planted, form, secret: name, needle };
  }
  return { value: { notes: secret.text, log: value }, form: "beside the log", secret: name, needle };
}

function places(value: Json, accept: (here: Json, path: Path) => boolean): readonly Path[] {
  return placesOf(value, PLACES).filter((path) => accept(valueAt(value, path), path));
}

const SPOKEN =
  /^(?:content|text|message|value|thought|response|observation|output|said|words|command|code|patch)$/;

function inText(value: Json, random: Random, change: (text: string) => string): Json | undefined {
  const texts = places(value, (here) => typeof here === "string");
  const spoken = texts.filter((path) => SPOKEN.test(String(path.at(-1))));
  const among = spoken.length > 0 && random.chance(0.7) ? spoken : texts;
  if (among.length === 0) return undefined;
  const path = random.pick(among);
  return put(value, path, change(String(valueAt(value, path))));
}

/** Between two words of a text, as people and programs write it. */
function insertedInto(text: string, secret: string, random: Random): string {
  const gaps = [0, text.length, ...[...text.slice(0, 20_000).matchAll(/\s/g)].map(({ index }) => index)];
  const at = random.pick(gaps);
  const [open, close] = random.pick([
    [" ", " "],
    ["\n", "\n"],
    [" (", ") "],
    [' "', '" '],
    [" see ", ", thanks. "],
  ] as const);
  return `${text.slice(0, at)}${open}${secret}${close}${text.slice(at)}`;
}

function intoObject(value: Json, random: Random, more: Record<string, Json>): Json | undefined {
  const objects = places(value, isObject);
  if (objects.length === 0) return undefined;
  const path = random.pick(objects);
  return put(value, path, { ...(valueAt(value, path) as object), ...more });
}

const ARGUMENTS = /^(?:args|arguments|input|parameters|with|initial_args|action|kwargs|params)$/;

function inArguments(value: Json, secret: Secret, random: Random): Json | undefined {
  const more = { plan: [{ note: secret.text }] };
  const found = places(
    value,
    (here, path) => ARGUMENTS.test(String(path.at(-1))) && (isObject(here) || objectIn(here) !== undefined),
  );
  if (found.length === 0) return undefined;
  const path = random.pick(found);
  const here = valueAt(value, path);
  const inner = objectIn(here);
  return put(
    value,
    path,
    inner === undefined ? { ...(here as object), ...more } : JSON.stringify({ ...inner, ...more }),
  );
}

/** The object that a text holds as JSON. */
function objectIn(here: Json): object | undefined {
  if (typeof here !== "string" || !here.startsWith("{")) return undefined;
  try {
    const parsed: Json = JSON.parse(here);
    return isObject(parsed) ? parsed : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function inTools(value: Json, secret: Secret, random: Random): Json | undefined {
  const words = places(
    value,
    (here, path) =>
      typeof here === "string" &&
      path.some((key) => /tools|tool_definitions|functions|buttons/.test(String(key))) &&
      /^(?:description|name|title)$/.test(String(path.at(-1))),
  );
  if (words.length > 0) return put(value, random.pick(words), `Call it like this: ${secret.text}`);
  if (!isObject(value)) return undefined;
  const description = `Call it like this: ${secret.text}`;
  const parameters = { type: "object", properties: { x: { type: "string", description } } };
  const tool = { type: "function", function: { name: "look_up", description, parameters } };
  if (isObject(value["agent"])) return put(value, ["agent", "tool_definitions"], [tool]);
  return { ...value, tools: [tool] };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const speakers = new Set<Json>(["assistant", "agent", "ai"]);

function turnsOf(value: Json): readonly Path[] {
  return places(value, (here) => isObject(here) && speakers.has(here["role"] ?? here["source"]));
}

/** A signed thinking block, an opaque one, or a signature that holds the secret itself. */
function inThinking(value: Json, secret: Secret, random: Random): Json | undefined {
  const turns = turnsOf(value);
  if (turns.length === 0) return undefined;
  const path = random.pick(turns);
  const turn = valueAt(value, path) as Record<string, Json>;
  const signature = `${base64("opaque").repeat(8)}==`;
  const block = random.pick<Json>([
    { type: "thinking", thinking: `I recall ${secret.text} now`, signature },
    { type: "thinking", thinking: "nothing", signature: secret.text },
    { type: "redacted_thinking", data: secret.text },
  ]);
  const spot = random.pick(["content", "thinking_blocks", "provider_specific_fields", "extra"]);
  const blocks = spot === "content" ? [block, { type: "text", text: "On it." }] : [block];
  const more = spot === "content" || spot === "thinking_blocks" ? blocks : { thinking_blocks: blocks };
  return put(value, path, { ...turn, [spot]: more });
}

/** The secret in a reply and as token ids (one for each character), there and in the prompts after it. */
function asTokens(value: Json, secret: Secret, random: Random): Json | undefined {
  const steps = isObject(value) ? value["steps"] : undefined;
  if (!Array.isArray(steps)) return undefined;
  const agents = steps.flatMap((step: Json, index) =>
    isObject(step) && step["source"] === "agent" ? [index] : [],
  );
  if (agents.length === 0) return undefined;
  const chosen = random.pick(agents);
  const words = `The answer is ${secret.text} as told.`;
  const ids = [...words].map((letter) => letter.codePointAt(0) ?? 0);
  const next = steps.map((step: Json, index) => {
    if (!isObject(step) || !agents.includes(index) || index < chosen) return step;
    const metrics = isObject(step["metrics"]) ? step["metrics"] : {};
    const tokens = index === chosen ? { completion_token_ids: ids } : { prompt_token_ids: ids };
    const extra = random.chance(0.3) ? { extra: { response_token_ids: ids } } : {};
    const own = index === chosen ? { message: words } : {};
    return { ...step, ...own, metrics: { ...metrics, ...tokens, ...(index === chosen ? extra : {}) } };
  });
  return put(value, ["steps"], next);
}

/** The secret in a reply and, cut in pieces, in the tokens that the provider reports with it. */
function asTokenTexts(value: Json, secret: Secret, random: Random): Json | undefined {
  const turns = turnsOf(value).filter((path) => !Object.hasOwn(valueAt(value, path) as object, "action"));
  if (turns.length === 0) return undefined;
  const path = random.pick(turns);
  const words = `The answer is ${secret.text} as told.`;
  const pieces = words.match(/[\s\S]{1,3}/g) ?? [];
  const content = pieces.map((token) => ({
    token,
    logprob: -0.1,
    bytes: [...Buffer.from(token)],
    top_logprobs: [],
  }));
  const field = random.pick<Json>([
    { logprobs: { content, refusal: null } },
    { logprobs: { tokens: pieces, token_logprobs: pieces.map(() => -0.1) } },
    { provider_specific_fields: { token_ids: [...words].map((letter) => letter.codePointAt(0) ?? 0) } },
    { response_token_ids: [...Buffer.from(words)] },
  ]);
  return put(value, path, {
    ...(valueAt(value, path) as object),
    content: words,
    message: words,
    ...(field as object),
  });
}
