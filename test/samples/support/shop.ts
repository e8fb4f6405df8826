import { PHONE_UK, PHONE_US } from "../secrets.ts";

/** A small shop that support agents work on through tools. All state is in memory and starts anew each time. */

export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
}

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly item: string;
  readonly cents: number;
  readonly status: "delivered" | "shipped" | "packing";
  address: string;
  charges: number;
}

export interface Refund {
  readonly order: string;
  readonly cents: number;
  readonly reason: string;
}

export interface Shop {
  readonly customers: readonly Customer[];
  readonly orders: readonly Order[];
  readonly refunds: Refund[];
  readonly tickets: string[];
}

export function openShop(): Shop {
  return {
    customers: [
      { id: "C-17", name: "Ana Ortiz", email: "ana.ortiz@example.com", phone: PHONE_US },
      { id: "C-23", name: "Bo Lind", email: "bo.lind@example.org", phone: PHONE_UK },
      { id: "C-31", name: "Sid Amin", email: "sid@example.net", phone: "+1 202 555 0171" },
    ],
    orders: [
      order("A-1041", "C-17", {
        item: "desk lamp",
        cents: 4900,
        status: "shipped",
        address: "4 Elm Row, Leeds",
      }),
      order("A-1042", "C-17", {
        item: "lamp shade",
        cents: 1250,
        status: "delivered",
        address: "4 Elm Row, Leeds",
      }),
      order("A-1055", "C-23", { item: "kettle", cents: 3500, status: "packing", address: "9 Quay St, York" }),
      {
        ...order("A-1063", "C-31", {
          item: "rug",
          cents: 8900,
          status: "delivered",
          address: "2 Hill Rd, Bath",
        }),
        charges: 2,
      },
    ],
    refunds: [],
    tickets: [],
  };
}

function order(
  id: string,
  customer: string,
  rest: Pick<Order, "item" | "cents" | "status" | "address">,
): Order {
  return { id, customer, charges: 1, ...rest };
}

export type Arguments = Readonly<Record<string, string | number>>;

export interface ToolAnswer {
  readonly ok: boolean;
  readonly value: unknown;
}

interface ShopTool {
  readonly description: string;
  readonly parameters: Readonly<
    Record<string, { readonly type: "string" | "integer"; readonly description: string }>
  >;
  run(shop: Shop, args: Arguments): ToolAnswer;
}

const done = (value: unknown): ToolAnswer => ({ ok: true, value });
const refused = (error: string): ToolAnswer => ({ ok: false, value: { error } });
const orderId = { type: "string", description: "Order number, such as A-1000" } as const;

export const shopTools: Readonly<Record<string, ShopTool>> = {
  find_customer: {
    description: "Finds a customer by e-mail address.",
    parameters: { email: { type: "string", description: "E-mail address" } },
    run(shop, args) {
      const found = shop.customers.find((customer) => customer.email === args["email"]);
      return found === undefined ? refused("no customer with that address") : done(found);
    },
  },
  list_orders: {
    description: "Lists the orders of a customer.",
    parameters: { customer_id: { type: "string", description: "Customer number, such as C-10" } },
    run(shop, args) {
      const found = shop.orders.filter((each) => each.customer === args["customer_id"]);
      return done(found.map(({ id, item, status }) => ({ id, item, status })));
    },
  },
  get_order: {
    description: "Shows one order.",
    parameters: { order_id: orderId },
    run(shop, args) {
      const found = shop.orders.find((each) => each.id === args["order_id"]);
      return found === undefined ? refused("no such order") : done(found);
    },
  },
  refund_order: {
    description: "Pays an amount back. Not more than was charged.",
    parameters: {
      order_id: orderId,
      cents: { type: "integer", description: "Amount in cents" },
      reason: { type: "string", description: "Why, in a few words" },
    },
    run(shop, args) {
      const found = shop.orders.find((each) => each.id === args["order_id"]);
      const cents = Number(args["cents"]);
      if (found === undefined) return refused("no such order");
      const paid = shop.refunds
        .filter((each) => each.order === found.id)
        .reduce((sum, each) => sum + each.cents, 0);
      if (paid + cents > found.cents * found.charges) return refused("more than was charged");
      shop.refunds.push({ order: found.id, cents, reason: String(args["reason"]) });
      return done({ order_id: found.id, refunded_cents: paid + cents });
    },
  },
  change_address: {
    description: "Changes the address of an order that has not been shipped.",
    parameters: { order_id: orderId, address: { type: "string", description: "New address" } },
    run(shop, args) {
      const found = shop.orders.find((each) => each.id === args["order_id"]);
      if (found === undefined) return refused("no such order");
      if (found.status !== "packing") return refused(`the order is ${found.status} already`);
      found.address = String(args["address"]);
      return done({ order_id: found.id, address: found.address });
    },
  },
  open_ticket: {
    description: "Hands a case over to a person.",
    parameters: { note: { type: "string", description: "What the person should know" } },
    run(shop, args) {
      shop.tickets.push(String(args["note"]));
      return done({ ticket: `T-${shop.tickets.length}` });
    },
  },
};

/** The tools as OpenAI-style function definitions. */
export function toolDefinitions(): readonly unknown[] {
  return Object.entries(shopTools).map(([name, tool]) => ({
    type: "function",
    function: {
      name,
      description: tool.description,
      parameters: { type: "object", properties: tool.parameters, required: Object.keys(tool.parameters) },
    },
  }));
}
