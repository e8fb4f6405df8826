import { type Cidr, cidrText, isIPv4, REFUSED_RANGES, without } from "../../sandbox/address-ranges.ts";
import {
  type AllowedTarget,
  type AllowList,
  allowedTargets,
  openedRanges,
} from "../../sandbox/allow-list.ts";

/** Where the proxy listens, in its own container and, by the relay, on the loopback of the sandbox. */
export const PROXY_PORT = 3128;

/**
 * IPv6 that is not the public internet, with what holds IPv4 addresses inside; those mapped into IPv6 Squid holds for
 * IPv4 itself. The proxy's container has no IPv6.
 */
const REFUSED_IPV6 = ["::/96", "64:ff9b::/96", "100::/64", "2001::/23", "2002::/16"];
const REFUSED_LOCAL_IPV6 = ["fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"];

/**
 * Squid's configuration for an allow-list. The order of the rules matters: a name that is not on the list is refused
 * before anything is looked up, since a look-up would carry what is in the name to whoever serves its domain.
 *
 * `hostAddresses`: addresses of the machine, which may be public and are refused all the same.
 * @throws AllowListError
 */
export function squidConfig(list: AllowList, hostAddresses: readonly string[]): string {
  const targets = allowedTargets(list);
  // Squid keeps the first of two ranges that overlap, so there must be none.
  const own = without(hostRanges(hostAddresses), REFUSED_RANGES);
  const refused = without([...REFUSED_RANGES, ...own], openedRanges(list));
  const rules = targets.map(targetRules);
  return [
    `http_port 127.0.0.1:${PROXY_PORT}`,
    "visible_hostname gymline-egress",
    "pid_filename none",
    "netdb_filename none",
    "coredump_dir none",
    "pinger_enable off",
    "cache deny all",
    "cache_mem 0 MB",
    "memory_pools off",
    "max_filedescriptors 1024",
    "shutdown_lifetime 0 seconds",
    "connect_timeout 20 seconds",
    "dns_timeout 10 seconds",
    // Nothing about the sandbox goes out, nothing about the proxy comes in.
    "via off",
    "forwarded_for delete",
    "httpd_suppress_version_string on",
    "cache_log /dev/stderr",
    "logformat target %Ss %rm %>rd %>rP",
    "access_log stdio:/dev/stdout logformat=target",
    "acl tunnel method CONNECT",
    "acl web proto HTTP HTTPS",
    ...rules.map(({ name }) => name),
    ...[...new Set(rules.flatMap(({ ports }) => ports))].map((port) => `acl port_${port} port ${port}`),
    `acl listed any-of ${targets.map((_, index) => `name_${index}`).join(" ")}`,
    ...refused.map((range) => `acl refused dst ${cidrText(range)}`),
    ...[...REFUSED_IPV6, ...REFUSED_LOCAL_IPV6].map((range) => `acl refused dst ${range}`),
    "http_access deny !tunnel !web",
    "http_access deny !listed",
    // Denied where any of a name's addresses is refused.
    "http_access deny refused",
    ...rules.flatMap(({ access }) => access),
    "http_access deny all",
    "",
  ].join("\n");
}

function targetRules(
  { host, below, port }: AllowedTarget,
  index: number,
): { readonly name: string; readonly ports: readonly number[]; readonly access: readonly string[] } {
  const acl = `name_${index}`;
  // Without -n an address would be looked up for its name, and whoever owns the address says what that is.
  const name = below
    ? `acl ${acl} dstdom_regex -n -i [^.]\\.${host.replaceAll(".", "\\.")}$`
    : `acl ${acl} dstdomain -n ${host}`;
  if (port !== null) return { name, ports: [port], access: [`http_access allow ${acl} port_${port}`] };
  const access = [`http_access allow tunnel ${acl} port_443`, `http_access allow !tunnel ${acl} port_80`];
  return { name, ports: [80, 443], access };
}

/**
 * Routing rules for the proxy's network namespace, as `ip -batch` takes them: the kernel keeps to the ranges whatever
 * the proxy does, also where a name leads elsewhere between the proxy's look and its connection. IPv4.
 * @throws AllowListError
 */
export function routingRules(list: AllowList, hostAddresses: readonly string[]): string {
  return [
    ...openedRanges(list).map((range) => `rule add pref 200 to ${cidrText(range)} lookup main`),
    ...[...REFUSED_RANGES, ...hostRanges(hostAddresses)].map(
      (range) => `rule add pref 300 to ${cidrText(range)} prohibit`,
    ),
    "",
  ].join("\n");
}

/** What the proxy refused, of its log; each target once, those that came most often first. */
export function refusedTargets(log: string): readonly { readonly target: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const line of log.split("\n")) {
    const [status = "", , host = "", port = ""] = line.trim().split(" ");
    if (!status.startsWith("TCP_DENIED") || host === "") continue;
    const target = `${host}:${port}`;
    counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  return [...counts].map(([target, count]) => ({ target, count })).sort((a, b) => b.count - a.count);
}

function hostRanges(addresses: readonly string[]): readonly Cidr[] {
  return [...new Set(addresses)].filter(isIPv4).map((address) => ({ address, bits: 32 }));
}
