import { getPublicSuffix } from "tldts";
import { type Cidr, cidrOf, cidrText, isIPv4, OPENABLE, REFUSED_RANGES, within } from "./address-ranges.ts";

/*
 * What a sandbox may reach: `host`, `host:port`, `*.host`, `*.host:port`, or a public IPv4 address for the host.
 *
 * - `host` is that name alone; `*.host` is every name below it, and not `host` itself.
 * - Without a port: HTTP on 80 and, by CONNECT, TLS on 443. With one: both, on this port alone.
 * - No `*` over a public suffix (`*.com`, `*.co.uk`, `*.github.io`): anybody can have a name there.
 * - Addresses that a name leads to must be public, or in one of the private ranges that were opened.
 */

/** One entry of an allow-list, read. */
export interface AllowedTarget {
  /** Lower case; without the `*.` of a wildcard. */
  readonly host: string;
  /** Every name below the host, and not the host itself. */
  readonly below: boolean;
  /** Null: 80 for requests in the clear, 443 for tunnels. */
  readonly port: number | null;
}

/** What a sandbox may reach; everything else is refused. */
export interface AllowList {
  readonly allow: readonly string[];
  /** IPv4 ranges in private space that names of the list may lead to, such as `10.20.0.0/16`; none where absent. */
  readonly privateRanges?: readonly string[];
}

/** An allow-list that is none. The message names the entry and the remedy. */
export class AllowListError extends Error {
  override readonly name = "AllowListError";
}

/** Each entry is a rule or two of the proxy. */
const MOST_ENTRIES = 256;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** @throws AllowListError */
export function allowedTarget(entry: string): AllowedTarget {
  const refuse = (why: string): AllowListError =>
    new AllowListError(`the allow-list's entry ${JSON.stringify(entry)} ${why}`);
  if (/[/@\s]/.test(entry)) {
    throw refuse("is no host; write the name alone, such as pypi.org or pypi.org:8443");
  }
  if (entry.includes("[") || entry.split(":").length > 2) {
    throw refuse("is an IPv6 address or has more than one port; sandboxes reach names and IPv4 addresses");
  }
  const [name = "", portText] = entry.toLowerCase().split(":");
  const below = name.startsWith("*.");
  const host = below ? name.slice(2) : name;
  const port = portText === undefined ? null : portOf(portText);
  if (port === undefined) throw refuse("has no port from 1 to 65535 after its colon");
  if (host === "*" || name === "*") throw refuse("would allow everything; name the hosts");
  if (host.includes("*")) throw refuse('has a "*" within; it may stand only before the first dot: *.host');
  if (isIPv4(host)) {
    if (below) throw refuse("has a wildcard over an address; name the addresses one by one");
    return { host, below, port };
  }
  const labels = host.split(".");
  if (/[^\0-\x7f]/.test(host)) throw refuse("has other letters than ASCII; write it in Punycode (xn--…)");
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) throw refuse("is no name of a host");
  // Programs read such names as addresses, in more than one way.
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) {
    throw refuse("is no name of a host; an address has four decimal numbers, such as 9.9.9.9");
  }
  if (labels.at(-1) === "localhost") throw refuse("is this machine itself, which no sandbox reaches");
  if (below && (labels.length < 2 || getPublicSuffix(host, { allowPrivateDomains: true }) === host)) {
    throw refuse(
      "has a wildcard over a public suffix, below which anybody can have a name; name the hosts, or a domain below it",
    );
  }
  return { host, below, port };
}

/** The ranges that an allow-list opens. @throws AllowListError */
export function openedRanges({ privateRanges = [] }: AllowList): readonly Cidr[] {
  return privateRanges.map((text) => {
    const range = cidrOf(text);
    if (range === undefined) {
      throw new AllowListError(
        `the private range ${JSON.stringify(text)} is none; write an IPv4 range such as 10.20.0.0/16 or 10.20.0.5/32`,
      );
    }
    if (OPENABLE.some((each) => within(range, each))) return range;
    throw new AllowListError(
      `the private range ${JSON.stringify(text)} cannot be opened; ranges within ${OPENABLE.map(cidrText).join(", ")} can`,
    );
  });
}

/** Its entries, each once, in an order that does not depend on how they were given. @throws AllowListError */
export function allowedTargets(list: AllowList): readonly AllowedTarget[] {
  const opened = openedRanges(list);
  const texts = normalised(list.allow);
  if (texts.length === 0) {
    throw new AllowListError('an allow-list without entries allows nothing; say "none" for no network');
  }
  if (texts.length > MOST_ENTRIES) {
    throw new AllowListError(`an allow-list has ${MOST_ENTRIES} entries at most, not ${texts.length}`);
  }
  const targets = texts.map(allowedTarget);
  for (const { host } of targets) {
    const own = cidrOf(`${host}/32`);
    if (own === undefined || !REFUSED_RANGES.some((range) => within(own, range))) continue;
    if (opened.some((range) => within(own, range))) continue;
    throw new AllowListError(
      `the allow-list's entry ${JSON.stringify(host)} is not a public address; to reach an address within ${OPENABLE.map(cidrText).join(", ")}, open its range as well (privateRanges)`,
    );
  }
  return targets;
}

/** Equal for lists that allow the same in other words. */
export function normalised(entries: readonly string[]): readonly string[] {
  return [...new Set(entries.map((entry) => entry.toLowerCase()))].sort();
}

/** The first entry of `asked` that `permitted` does not allow; undefined where it allows all. @throws AllowListError */
export function beyond(asked: readonly string[], permitted: readonly string[]): string | undefined {
  const targets = permitted.map(allowedTarget);
  return asked.find((entry) => {
    const { host, below, port } = allowedTarget(entry);
    const covers = (each: AllowedTarget): boolean => {
      if (each.port !== port) return false;
      if (each.host === host && each.below === below) return true;
      return each.below && host.endsWith(`.${each.host}`);
    };
    return !targets.some(covers);
  });
}

function portOf(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}
