/**
 * Python's `str` and `repr` of JSON values. The compatible rules compare texts that knowlyr-gym builds
 * with them, so the quoting and escaping have to be the same.
 */

/** `str(value)` of a JSON value. */
export function pythonStr(value: unknown): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

type Work = { readonly text: string } | { readonly value: unknown };

/** `repr(value)` of a JSON value; object keys keep their order. Iterative, so depth does not matter. */
export function pythonRepr(value: unknown): string {
  let out = "";
  const work: Work[] = [{ value }];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    if ("text" in item) {
      out += item.text;
      continue;
    }
    const current = item.value;
    if (Array.isArray(current)) {
      work.push({ text: "]" });
      for (let i = current.length - 1; i >= 0; i--) {
        work.push({ value: current[i] });
        if (i > 0) work.push({ text: ", " });
      }
      out += "[";
    } else if (typeof current === "object" && current !== null) {
      const entries = Object.entries(current);
      work.push({ text: "}" });
      for (let i = entries.length - 1; i >= 0; i--) {
        const entry = entries[i];
        if (entry === undefined) continue;
        work.push({ value: entry[1] }, { text: `${i > 0 ? ", " : ""}${stringRepr(entry[0])}: ` });
      }
      out += "{";
    } else {
      out += scalarRepr(current);
    }
  }
  return out;
}

function scalarRepr(value: unknown): string {
  if (typeof value === "string") return stringRepr(value);
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number") return numberRepr(value);
  return "None";
}

function numberRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  // JSON text tells 1 from 1.0; a JavaScript number does not, so whole numbers read as integers.
  if (Number.isInteger(value)) return BigInt(value).toString();
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

const needsEscape = /[^\x20-\x7e]|['\\]/;
const unprintable = /[\p{C}\p{Z}]/u;

function stringRepr(text: string): string {
  if (!needsEscape.test(text)) return `'${text}'`;
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const char of text) {
    if (char === quote || char === "\\") out += `\\${char}`;
    else if (char === "\n") out += "\\n";
    else if (char === "\r") out += "\\r";
    else if (char === "\t") out += "\\t";
    else if (char !== " " && unprintable.test(char)) out += escapeOf(char);
    else out += char;
  }
  return out + quote;
}

function escapeOf(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${hex.padStart(4, "0")}`;
  return `\\U${hex.padStart(8, "0")}`;
}
