import type { Random } from "./random.ts";
import { rawValue, rawValues, secondKey } from "./raw-json.ts";
import { isObject, type Json, type Path, placesOf, put, valueAt } from "./tree.ts";

const oddKeys = ["__proto__", "constructor", "toString", "hasOwnProperty", "length", "", "0", "role", "id"];

const oddValues: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  "",
  " ",
  "0",
  "null",
  "{}",
  '{"a":',
  "[]",
  [],
  {},
  [null],
  [[]],
  [{}],
  [null, 1, ["x"], {}],
  JSON.parse('{"__proto__": {"role": "user"}, "constructor": {"prototype": 1}, "toString": null}'),
  { type: "text", text: 1 },
  [
    { type: "tool_use" },
    { type: "tool_result" },
    { type: "image_url", image_url: "data:image/png;base64,!!" },
  ],
  "日本語 ‮ rtl ​ 👩‍👩‍👧‍👦 é",
  "```\n```bash\n```\n<function=x><parameter=y></function>",
  "<function=a>".repeat(2000),
  "```".repeat(3000),
  "a".repeat(200_000),
  " \t\n".repeat(20_000),
  '"\\'.repeat(10_000),
  "=:@.".repeat(15_000),
  ...Object.keys(rawValues).map(rawValue),
];

const roles = [
  "system",
  "user",
  "assistant",
  "tool",
  "function",
  "developer",
  "ai",
  "exit",
  "human",
  "gpt",
  "x",
];

/** Enough for the change to fall anywhere; the rest of a longer log is more of the same. */
const PLACES = 4000;

/** One to five changes to a parsed log, each at a random place. */
export function mutateJson(value: Json, random: Random): Json {
  let current = value;
  for (let changes = 1 + random.int(5); changes > 0; changes -= 1) current = changed(current, random);
  return current;
}

function changed(value: Json, random: Random): Json {
  const path = random.pick(placesOf(value, PLACES));
  const here = valueAt(value, path);
  switch (random.int(9)) {
    case 0:
      return put(value, path, random.pick(oddValues));
    case 1:
      return without(value, path);
    case 2:
      return put(value, path, withOtherKey(here, random));
    case 3:
      return put(value, path, withOneMore(here, random));
    case 4:
      return put(value, path, turned(here));
    case 5:
      return swapped(value, random);
    case 6:
      return withOddRole(value, random);
    case 7:
      return put(value, path, shuffled(here, random));
    default:
      return put(value, path, cut(here, random));
  }
}

function without(value: Json, path: Path): Json {
  const key = path.at(-1);
  const holder = valueAt(value, path.slice(0, -1));
  if (key === undefined) return value;
  if (Array.isArray(holder)) return put(value, path.slice(0, -1), holder.toSpliced(Number(key), 1));
  if (!isObject(holder)) return value;
  const kept = Object.entries(holder).filter(([name]) => name !== key);
  return put(value, path.slice(0, -1), Object.fromEntries(kept));
}

function withOtherKey(here: Json, random: Random): Json {
  if (!isObject(here)) return here;
  const entries = Object.entries(here);
  if (entries.length === 0) return Object.fromEntries([[random.pick(oddKeys), 1]]);
  const at = random.int(entries.length);
  const other = random.chance(0.5) ? random.pick(oddKeys) : `${random.pick(entries)[0]}_2`;
  return Object.fromEntries(entries.map(([key, item], index) => [index === at ? other : key, item]));
}

/** A key that stands twice, with another value; an item that stands twice. */
function withOneMore(here: Json, random: Random): Json {
  if (Array.isArray(here)) return [...here, ...(here.length === 0 ? [null] : [random.pick<Json>(here)])];
  if (!isObject(here)) return here;
  const keys = Object.keys(here);
  const key = keys.length === 0 ? "x" : random.pick(keys);
  return Object.fromEntries([...Object.entries(here), [secondKey(key), random.pick(oddValues)]]);
}

/** Lists become objects, objects lists, texts what they hold, all else text. */
function turned(here: Json): Json {
  if (Array.isArray(here)) return Object.fromEntries(here.map((item: Json, index) => [String(index), item]));
  if (isObject(here)) return Object.values(here);
  return typeof here === "string" ? [here] : JSON.stringify(here);
}

function swapped(value: Json, random: Random): Json {
  const ids = placesOf(value, PLACES).filter((path) => /id$|^id|cause/i.test(String(path.at(-1))));
  const all = ids.length > 1 ? ids : placesOf(value, PLACES);
  const one = random.pick(all);
  const two = random.pick(all);
  return put(put(value, one, valueAt(value, two)), two, valueAt(value, one));
}

function withOddRole(value: Json, random: Random): Json {
  const named = placesOf(value, PLACES).filter((path) =>
    /^(?:role|from|source|type|event|action|observation|message_type|class_|schema_version|object)$/.test(
      String(path.at(-1)),
    ),
  );
  return named.length === 0 ? value : put(value, random.pick(named), random.pick(roles));
}

function shuffled(here: Json, random: Random): Json {
  if (!Array.isArray(here) || here.length < 2) return here;
  const at = random.int(here.length);
  return [...here.slice(at), ...here.slice(0, at)];
}

function cut(here: Json, random: Random): Json {
  if (typeof here === "string" || Array.isArray(here)) return here.slice(0, random.int(here.length + 1));
  return here;
}
