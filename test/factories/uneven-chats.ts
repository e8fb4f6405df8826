/** Rows of chats whose first and last halves have little in common. */
export interface UnevenSize {
  /** Rows that come first in a set: nothing but texts, all of them perfect. */
  readonly plain: number;
  /** Rows that come after them, with everything else. */
  readonly rich: number;
}

const WORDS = ["naïve", "“quoted”", "back\\slash", "tab\tline\nend", "\u2028", "🙂", "\u0000", "null", "[]"];
const TOOL_SETS: readonly (readonly unknown[])[] = [
  [],
  [tool("lookup", { type: "object", properties: { id: { type: "integer" } }, required: ["id"] })],
  [
    tool("lookup", { type: "object", properties: { id: { type: "string", enum: ["a", "b"] } } }),
    tool("write", { anyOf: [{ type: "null" }, { type: "object", additionalProperties: { type: "array" } }] }),
  ],
];

/**
 * A chat log of about 25 kB a row, as loaders that guess a column's type from the first rows like it least: keys,
 * ids and models that turn up late, rewards that are whole first, tool schemas and arguments that differ from row
 * to row.
 */
export function* unevenChats({ plain, rich }: UnevenSize): Generator<string> {
  for (let row = 0; row < plain; row += 1) yield `${JSON.stringify(plainRow(row))}\n`;
  for (let row = 0; row < rich; row += 1) yield `${JSON.stringify(richRow(row))}\n`;
}

function plainRow(row: number): unknown {
  const messages = [
    { role: "user", content: `Question ${row}. ${filler(row)}` },
    { role: "assistant", content: `Answer ${row}.` },
  ];
  return { success: true, messages };
}

function richRow(row: number): unknown {
  const failed = row % 2 === 1;
  return {
    ...(row % 3 === 0 ? {} : { task_id: row % 3 === 1 ? "2024-01-15" : `task ${row}` }),
    ...(row % 4 === 0 ? {} : { model: `model-${row % 4}` }),
    ...(row % 5 === 0 ? {} : { success: !failed }),
    tools: TOOL_SETS[row % TOOL_SETS.length],
    messages: [
      { role: "system", content: "You look things up." },
      { role: "user", content: `Problem ${row}.` },
      {
        role: "assistant",
        content: "",
        reasoning_content: `I think ${row} times.`,
        tool_calls: [call(row, "a"), call(row, "b")],
      },
      { role: "tool", tool_call_id: `a${row}`, content: filler(row) },
      { role: "tool", tool_call_id: `b${row}`, content: filler(row) },
      { role: "assistant", content: `Once more ${row}.`, tool_calls: [call(row, "c")] },
      { role: "tool", tool_call_id: `c${row}`, content: "\ud800 is half a character" },
      { role: "assistant", content: `It is ${row}.` },
    ],
  };
}

/** Arguments whose keys, and whose types under one key, change from row to row. */
function call(row: number, id: string): unknown {
  const kinds = [row, `text ${row}`, null, [row, "x"], { deep: { [`k${row % 7}`]: row % 2 === 0 } }, 0.5];
  const given = { id: kinds[row % kinds.length], [`key_${row % 37}`]: kinds[(row + 1) % kinds.length] };
  const spaced = JSON.stringify({ ...given, n: 1 }, null, 2).replace('"n": 1', '"n": 12345678901234567890.0');
  const text = row % 6 === 0 ? spaced : row % 6 === 1 ? "{not json" : JSON.stringify(given);
  return { id: `${id}${row}`, type: "function", function: { name: "lookup", arguments: text } };
}

function tool(name: string, parameters: unknown): unknown {
  return { type: "function", function: { name, description: `The tool ${name}.`, parameters } };
}

/** About 24 kB of text for plain rows, half of that twice for rich ones. */
function filler(row: number): string {
  const words = Array.from(
    { length: 60 },
    (_, word) => `${WORDS[(row + word) % WORDS.length]} ${row * word}`,
  );
  return words.join(" ").repeat(26);
}
