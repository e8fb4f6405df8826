import { isWord } from "../characters.ts";
import type { Detector } from "../detector.ts";
import { classifyIpv4, classifyIpv6 } from "../ip-address.ts";

const ipv4 = /\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w]|\.\d)/y;
const ipv6 = /[0-9a-fA-F:]{2,45}/y;

/** A four-part version number looks like an address; these contexts say which it is. */
const versionBefore = /(?:[=<>~!^]=|version["'\s:=]{0,4}|\bv|[\w.]-)$/i;

/**
 * Private, link-local and (if asked) loopback addresses, ports and prefixes left in place.
 * Matches imply an `ipv4` or `ipv6` anchor.
 */
export const createPrivateIp = (options: { readonly loopback: boolean }): Detector => ({
  name: "private-ip",
  detect: ({ text, anchors, add }) => {
    const wanted = (kind: string): boolean => kind === "private" || (options.loopback && kind === "loopback");
    for (const start of anchors.ipv4) {
      ipv4.lastIndex = start;
      const match = ipv4.exec(text)?.[0];
      if (match === undefined || !wanted(classifyIpv4(match))) continue;
      if (versionBefore.test(text.slice(Math.max(0, start - 16), start))) continue;
      add({ type: "PRIVATE_IP", start, end: start + match.length });
    }
    for (const start of anchors.ipv6) {
      const before = text.charCodeAt(start - 1);
      if (isWord(before) || before === 58) continue;
      ipv6.lastIndex = start;
      const match = ipv6.exec(text)?.[0].replace(/([^:]):$/, "$1");
      if (match === undefined || isWord(text.charCodeAt(start + match.length))) continue;
      if (!wanted(classifyIpv6(match))) continue;
      // xs[::1] is a slice; [::1] on its own is an address.
      if (match === "::1" && before === 91 && /[\w\])]/.test(text.charAt(start - 2))) continue;
      add({ type: "PRIVATE_IP", start, end: start + match.length });
    }
  },
});
