import { CARD, PHONE_UK } from "../secrets.ts";
import type { Shop } from "./shop.ts";

/** A customer's problem, what the customer says, and what the shop must look like when it is solved. */
export interface Case {
  readonly id: string;
  readonly email: string;
  readonly order: string;
  readonly opening: string;
  /** The customer's answer where the agent asks for something. */
  readonly details: string;
  /** What an agent that looked things up does about it. */
  readonly remedy: { readonly tool: string; readonly args: Readonly<Record<string, string | number>> };
  /** What a confused agent does. */
  readonly mistake: { readonly tool: string; readonly args: Readonly<Record<string, string | number>> };
  readonly closing: string;
  /** Named conditions on the shop's final state. */
  readonly wanted: readonly (readonly [name: string, holds: (shop: Shop) => boolean])[];
}

const onlyRefund = (order: string, cents: number) => (shop: Shop) =>
  shop.refunds.length === 1 && shop.refunds[0]?.order === order && shop.refunds[0].cents === cents;

export const cases: readonly Case[] = [
  {
    id: "broken-shade-refund",
    email: "ana.ortiz@example.com",
    order: "A-1042",
    opening: "Hello, the lamp shade I ordered arrived in pieces. I want my money back, not a new one.",
    details: "I'm Ana Ortiz, my mail is ana.ortiz@example.com. The lamp itself is still on its way.",
    remedy: { tool: "refund_order", args: { order_id: "A-1042", cents: 1250, reason: "arrived broken" } },
    mistake: { tool: "refund_order", args: { order_id: "A-1041", cents: 4900, reason: "customer asked" } },
    closing:
      "I have paid back 12.50 for the lamp shade (order A-1042). The lamp, A-1041, stays on its way to you.",
    wanted: [
      ["the shade is refunded, nothing else", onlyRefund("A-1042", 1250)],
      ["no case was handed over", (shop) => shop.tickets.length === 0],
    ],
  },
  {
    id: "kettle-new-address",
    email: "bo.lind@example.org",
    order: "A-1055",
    opening: "Hi! I have moved. Could you send my kettle to 12 Mill Lane, York instead?",
    details: `Sure: Bo Lind, bo.lind@example.org, you can also ring me on ${PHONE_UK}.`,
    remedy: { tool: "change_address", args: { order_id: "A-1055", address: "12 Mill Lane, York" } },
    mistake: { tool: "change_address", args: { order_id: "A-1041", address: "12 Mill Lane, York" } },
    closing: "Your kettle (order A-1055) had not left yet, so it now goes to 12 Mill Lane, York.",
    wanted: [
      [
        "the kettle goes to the new address",
        (shop) => shop.orders.some((each) => each.id === "A-1055" && each.address === "12 Mill Lane, York"),
      ],
      ["nothing was refunded", (shop) => shop.refunds.length === 0],
    ],
  },
  {
    id: "rug-charged-twice",
    email: "sid@example.net",
    order: "A-1063",
    opening: "My statement shows the rug twice! Order A-1063. Please fix this.",
    details: `It was charged to card ${CARD}, and I am sid@example.net.`,
    remedy: { tool: "refund_order", args: { order_id: "A-1063", cents: 8900, reason: "charged twice" } },
    mistake: { tool: "refund_order", args: { order_id: "A-1063", cents: 17800, reason: "charged twice" } },
    closing:
      "You were indeed charged twice for order A-1063. I have paid back one charge of 89.00; you keep the rug.",
    wanted: [["one charge is refunded", onlyRefund("A-1063", 8900)]],
  },
];
