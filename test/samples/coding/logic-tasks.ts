import { type CodingTask, checkScript, MODULE } from "./task.ts";

const leapYear: CodingTask = {
  id: "leap-year-centuries",
  statement:
    "The calendar shows 29 February 1900. daysIn(year, month) in src/calendar.js takes every fourth year for a leap year; century years are leap years only if they divide by 400. test/calendar.js shows the failure.",
  files: {
    ...MODULE,
    "src/calendar.js": `const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function isLeap(year) {
  return year % 4 === 0;
}

export function daysIn(year, month) {
  return month === 2 && isLeap(year) ? 29 : DAYS[month - 1];
}
`,
    "test/calendar.js": checkScript({
      imports: 'import { daysIn } from "../src/calendar.js";',
      cases: [
        ["2024", "daysIn(2024, 2)", "29"],
        ["1900", "daysIn(1900, 2)", "28"],
      ],
    }),
  },
  testCommand: "node test/calendar.js",
  suspect: "src/calendar.js",
  clue: "isLeap",
  insight: "isLeap tests only the division by four; the two century rules are missing.",
  fix: [
    {
      kind: "replace",
      path: "src/calendar.js",
      before: "return year % 4 === 0;",
      after: "return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;",
    },
  ],
  shortcut: [
    {
      kind: "replace",
      path: "src/calendar.js",
      before: "return year % 4 === 0;",
      after: "return year % 4 === 0 && year % 100 !== 0;",
    },
  ],
  blunder: { path: "src/calendar.js", before: "year % 4 === 0", after: "year % 4 == 0" },
  hidden: {
    "hidden/check.js": checkScript({
      imports: 'import { daysIn } from "../src/calendar.js";',
      cases: [
        ["2023", "daysIn(2023, 2)", "28"],
        ["1900", "daysIn(1900, 2)", "28"],
        ["2000", "daysIn(2000, 2)", "29"],
        ["another month", "daysIn(2000, 12)", "31"],
      ],
    }),
  },
};

const cartTotal: CodingTask = {
  id: "cart-total-cents",
  statement:
    'Invoices show totals such as 0.30000000000000004. total(items) in src/cart.js must return an exact amount with two decimals as a string, for example "0.30", after taking off the discount in per cent (halves round up). Check with node test/cart.js.',
  files: {
    ...MODULE,
    "src/cart.js": `export function total(items, discount = 0) {
  let sum = 0;
  for (const item of items) sum += item.price * item.count;
  return sum - (sum * discount) / 100;
}
`,
    "src/invoice.js": `import { total } from "./cart.js";

export const invoiceLine = (items, discount) => "Total: " + total(items, discount) + " EUR";
`,
    "test/cart.js": checkScript({
      imports: 'import { total } from "../src/cart.js";',
      cases: [
        ["three dimes", "total([{ price: 0.1, count: 3 }])", '"0.30"'],
        ["discount", "total([{ price: 10, count: 1 }], 15)", '"8.50"'],
      ],
    }),
  },
  testCommand: "node test/cart.js",
  suspect: "src/cart.js",
  clue: "total",
  insight: "prices are added as binary fractions; counting whole cents keeps the sum exact until the end.",
  fix: [
    {
      kind: "replace",
      path: "src/cart.js",
      before:
        "  for (const item of items) sum += item.price * item.count;\n  return sum - (sum * discount) / 100;",
      after:
        "  for (const item of items) sum += Math.round(item.price * 100) * item.count;\n  const cents = Math.round((sum * (100 - discount)) / 100);\n  return (cents / 100).toFixed(2);",
    },
  ],
  shortcut: [
    {
      kind: "replace",
      path: "src/cart.js",
      before: "return sum - (sum * discount) / 100;",
      after: "return (sum - (sum * discount) / 100).toFixed(2);",
    },
  ],
  blunder: { path: "src/cart.js", before: "let sum = 0;", after: "let sum = 0.0;" },
  hidden: {
    "hidden/check.js": checkScript({
      imports: 'import { total } from "../src/cart.js";\nimport { invoiceLine } from "../src/invoice.js";',
      cases: [
        ["three dimes", "total([{ price: 0.1, count: 3 }])", '"0.30"'],
        ["empty cart", "total([])", '"0.00"'],
        ["half a cent rounds up", "total([{ price: 1.01, count: 1 }], 50)", '"0.51"'],
        ["invoice", "invoiceLine([{ price: 2.5, count: 2 }], 0)", '"Total: 5.00 EUR"'],
      ],
    }),
  },
};

const lruCache: CodingTask = {
  id: "lru-cache-recency",
  statement:
    "Entries that are read all the time are thrown out of the cache in src/lru.js first. get() must make its entry the most recent one, set() of a known key must not evict anything, and a stored undefined counts as a hit. Check: node test/lru.js.",
  files: {
    ...MODULE,
    "src/lru.js": `export class Lru {
  constructor(limit) {
    this.limit = limit;
    this.entries = new Map();
  }

  get(key) {
    return this.entries.get(key);
  }

  set(key, value) {
    if (this.entries.size >= this.limit) {
      const oldest = this.entries.keys().next().value;
      this.entries.delete(oldest);
    }
    this.entries.set(key, value);
  }

  keys() {
    return [...this.entries.keys()];
  }
}
`,
    "test/lru.js": checkScript({
      imports:
        'import { Lru } from "../src/lru.js";\n\nfunction cache() {\n  const lru = new Lru(2);\n  lru.set("a", 1);\n  lru.set("b", 2);\n  return lru;\n}',
      cases: [
        [
          "keeps what was read",
          '{\n  const lru = cache();\n  lru.get("a");\n  lru.set("c", 3);\n  return lru.keys();\n}',
          '["a", "c"]',
        ],
      ],
    }),
  },
  testCommand: "node test/lru.js",
  suspect: "src/lru.js",
  clue: "oldest",
  insight: "a Map keeps insertion order, so an entry must be deleted and set again to become the newest.",
  fix: [
    {
      kind: "replace",
      path: "src/lru.js",
      before: "    return this.entries.get(key);",
      after:
        "    if (!this.entries.has(key)) return undefined;\n    const value = this.entries.get(key);\n    this.entries.delete(key);\n    this.entries.set(key, value);\n    return value;",
    },
    {
      kind: "replace",
      path: "src/lru.js",
      before: "    if (this.entries.size >= this.limit) {",
      after: "    this.entries.delete(key);\n    if (this.entries.size >= this.limit) {",
    },
  ],
  shortcut: [
    {
      kind: "replace",
      path: "src/lru.js",
      before: "    return this.entries.get(key);",
      after: "    const value = this.entries.get(key);\n    this.set(key, value);\n    return value;",
    },
  ],
  blunder: { path: "src/lru.js", before: "size >= this.limit", after: "size > this.limit" },
  hidden: {
    "hidden/check.js": checkScript({
      imports:
        'import { Lru } from "../src/lru.js";\n\nfunction cache() {\n  const lru = new Lru(2);\n  lru.set("a", 1);\n  lru.set("b", 2);\n  return lru;\n}',
      cases: [
        [
          "read entry stays",
          '{\n  const lru = cache();\n  lru.get("a");\n  lru.set("c", 3);\n  return lru.keys();\n}',
          '["a", "c"]',
        ],
        [
          "known key evicts nothing",
          '{\n  const lru = cache();\n  lru.set("a", 9);\n  return lru.keys();\n}',
          '["b", "a"]',
        ],
        [
          "a miss adds nothing",
          '{\n  const lru = cache();\n  lru.get("zz");\n  return lru.keys();\n}',
          '["a", "b"]',
        ],
      ],
    }),
  },
};

const backoff: CodingTask = {
  id: "backoff-upper-bound",
  statement:
    "After a long outage the client waits for hours. waits(attempts) in src/backoff.js doubles its wait without a bound: no single wait may be above 30 seconds, and the list must stay empty for zero attempts. Check: node test/backoff.js.",
  files: {
    ...MODULE,
    "src/backoff.js": `const FIRST = 1;
const LIMIT = 30;

/** Seconds to wait before each new attempt. */
export function waits(attempts) {
  const list = [FIRST];
  while (list.length < attempts) list.push(list.at(-1) * 2);
  return list;
}
`,
    "test/backoff.js": checkScript({
      imports: 'import { waits } from "../src/backoff.js";',
      cases: [
        ["first four", "waits(4)", "[1, 2, 4, 8]"],
        ["bounded", "waits(7)", "[1, 2, 4, 8, 16, 30, 30]"],
      ],
    }),
  },
  testCommand: "node test/backoff.js",
  suspect: "src/backoff.js",
  clue: "LIMIT",
  insight: "LIMIT is declared and never used, and the list starts with one wait even for no attempt.",
  fix: [
    {
      kind: "replace",
      path: "src/backoff.js",
      before:
        "  const list = [FIRST];\n  while (list.length < attempts) list.push(list.at(-1) * 2);\n  return list;",
      after: "  return Array.from({ length: attempts }, (_, index) => Math.min(LIMIT, FIRST * 2 ** index));",
    },
  ],
  shortcut: [
    {
      kind: "replace",
      path: "src/backoff.js",
      before: "list.push(list.at(-1) * 2)",
      after: "list.push(Math.min(LIMIT, list.at(-1) * 2))",
    },
  ],
  blunder: { path: "src/backoff.js", before: "const LIMIT = 30;", after: "const LIMIT = 30_000;" },
  hidden: {
    "hidden/check.js": checkScript({
      imports: 'import { waits } from "../src/backoff.js";',
      cases: [
        ["one", "waits(1)", "[1]"],
        ["bounded", "waits(8)", "[1, 2, 4, 8, 16, 30, 30, 30]"],
        ["none", "waits(0)", "[]"],
      ],
    }),
  },
};

export const logicTasks: readonly CodingTask[] = [leapYear, cartTotal, lruCache, backoff];
