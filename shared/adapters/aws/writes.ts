import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { type Attributes, type Item, toAttribute, toAttributes, type Value } from "./attributes.ts";
import { counterKey, type ItemKey } from "./catalog-keys.ts";

/** An expression with its placeholders: names start with `#`, values with `:`. */
export interface Expression {
  readonly text: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, Value>>;
}

export const ABSENT: Expression = { text: "attribute_not_exists(#pk)", names: { "#pk": "pk" }, values: {} };
export const PRESENT: Expression = { text: "attribute_exists(#pk)", names: { "#pk": "pk" }, values: {} };

/** Holds if the item has all these attributes, with these values. */
export function having(attributes: Readonly<Record<string, Value>>): Expression {
  const entries = Object.entries(attributes);
  return {
    text: entries.map((_, index) => `#h${index} = :h${index}`).join(" and "),
    names: Object.fromEntries(entries.map(([name], index) => [`#h${index}`, name])),
    values: Object.fromEntries(entries.map(([, value], index) => [`:h${index}`, value])),
  };
}

/** One change of one item; a transaction holds at most 100, each of another item. */
export type Write =
  | { readonly kind: "put"; readonly item: Item & ItemKey; readonly when?: Expression }
  | {
      readonly kind: "update";
      readonly key: ItemKey;
      readonly set?: Item;
      /** Added to what there is; 0 where there is nothing. */
      readonly add: Readonly<Record<string, number>>;
      readonly when?: Expression;
    }
  /** One more in a shard of a project's counter, whichever. */
  | { readonly kind: "count"; readonly project: string; readonly shard: number; readonly more: number }
  | { readonly kind: "delete"; readonly key: ItemKey; readonly when?: Expression }
  | { readonly kind: "check"; readonly key: ItemKey; readonly when: Expression };

export const MOST_WRITES = 100;

export function toTransactItem(write: Write, table: string): TransactWriteItem {
  const TableName = table;
  if (write.kind === "put") {
    return { Put: { TableName, Item: toAttributes(write.item), ...conditionOf(write.when) } };
  }
  if (write.kind === "count") return toTransactItem(counting(write), table);
  const Key = keyAttributes(write.key);
  if (write.kind === "delete") return { Delete: { TableName, Key, ...conditionOf(write.when) } };
  if (write.kind === "update") return { Update: { TableName, Key, ...updateOf(write) } };
  const { text, names, values } = write.when;
  const check = { TableName, Key, ConditionExpression: text, ...placeholders(names, values) };
  return { ConditionCheck: check };
}

function counting({
  project,
  shard,
  more,
}: Extract<Write, { readonly kind: "count" }>): Extract<Write, { readonly kind: "update" }> {
  return { kind: "update", key: counterKey(project, shard), add: { total: more } };
}

export function keyAttributes({ pk, sk }: ItemKey): Attributes {
  return { pk: { S: pk }, sk: { S: sk } };
}

export function placeholders(
  names: Readonly<Record<string, string>>,
  values: Readonly<Record<string, Value>>,
): {
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Attributes;
} {
  return {
    // DynamoDB refuses empty maps of placeholders.
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: { ...names } }),
    ...(Object.keys(values).length === 0
      ? {}
      : {
          ExpressionAttributeValues: Object.fromEntries(
            Object.entries(values).map(([name, value]) => [name, toAttribute(value)]),
          ),
        }),
  };
}

export function conditionOf(when: Expression | undefined) {
  if (when === undefined) return {};
  return { ConditionExpression: when.text, ...placeholders(when.names, when.values) };
}

export function updateOf(write: Extract<Write, { readonly kind: "update" }>) {
  const names: Record<string, string> = { ...write.when?.names };
  const values: Record<string, Value> = { ...write.when?.values };
  const part = (letter: string, changes: Item, operator: string) =>
    Object.entries(changes).map(([name, value], index) => {
      names[`#${letter}${index}`] = name;
      values[`:${letter}${index}`] = value;
      return `#${letter}${index}${operator}:${letter}${index}`;
    });
  const sets = part("s", write.set ?? {}, " = ");
  const adds = part("a", write.add, " ");
  const text = [
    ...(sets.length === 0 ? [] : [`SET ${sets.join(", ")}`]),
    ...(adds.length === 0 ? [] : [`ADD ${adds.join(", ")}`]),
  ].join(" ");
  return {
    UpdateExpression: text,
    ...(write.when === undefined ? {} : { ConditionExpression: write.when.text }),
    ...placeholders(names, values),
  };
}
