import type { Detector } from "../detector.ts";
import { classifyIpv4, classifyIpv6 } from "../ip-address.ts";
import { readUrl, urlEnd } from "../url.ts";

const internalSuffix =
  /\.(?:internal|intranet|intra|corp|lan|local|localdomain|private|home|home\.arpa|svc|cluster\.local)$/;
const internalLabels = new Set(["internal", "intranet", "corp", "staging", "private", "dev", "local"]);
/** Public sites whose first label is one of the above. */
const publicHosts = new Set(
  "dev.azure.com dev.mysql.com dev.w3.org dev.twitter.com dev.gnupg.org dev.bitly.com dev.maxmind.com dev.epicgames.com dev.hubspot.com local.mapillary.com host.docker.internal gateway.docker.internal kubernetes.docker.internal".split(
    " ",
  ),
);
/** Single labels that documentation and tests use; they name no real machine. */
const fillerHosts = new Set(
  "host hostname server servername example domain domainname website site url uri address addr endpoint foo bar baz foobar qux test testserver tests testing www http https proxy myproxy host1 host2 someserver somehost myhost myserver your-server yourserver your-host yourhost your-domain yourdomain mydomain dummy fake mock none null undefined path user username localhost nowhere invalid sample demo mysite mysite1 blah spam eggs xxx abc aaa bbb file files data index web page link".split(
    " ",
  ),
);
const webSchemes = new Set(["http", "https", "ws", "wss", "ftp", "ftps"]);

export interface InternalUrlOptions {
  /** Also redact localhost, 127.0.0.0/8 and ::1. */
  readonly loopback: boolean;
}

const isInternalHost = (input: { host: string; scheme: string; loopback: boolean }): boolean => {
  const { host, scheme, loopback } = input;
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  const kind = host.startsWith("[") ? classifyIpv6(bare) : classifyIpv4(bare);
  if (kind === "private") return true;
  if (kind === "loopback" || host === "localhost" || host.endsWith(".localhost")) return loopback;
  if (host.startsWith("[") || /^[\d.]+$/.test(host) || publicHosts.has(host)) return false;
  if (internalSuffix.test(host)) return true;
  const labels = host.split(".");
  if (labels.some((label) => label === "")) return false;
  if (labels.length === 1) {
    // "git+http", or a word that a dot glued on.
    const plain = scheme.slice(Math.max(scheme.lastIndexOf("+"), scheme.lastIndexOf(".")) + 1);
    return webSchemes.has(plain) && /^[a-z][a-z0-9-]{2,62}$/.test(host) && !fillerHosts.has(host);
  }
  // The registrable name (last two labels) may hold such a word in public: corp.com, dev.to.
  return labels.slice(0, -2).some((label) => internalLabels.has(label));
};

/**
 * URLs of hosts that only exist inside a network: private addresses, reserved suffixes, labels such
 * as "intranet", single-label web hosts. Matches imply a `url` anchor.
 */
export const createInternalUrl = ({ loopback }: InternalUrlOptions): Detector => ({
  name: "internal-url",
  detect: ({ text, anchors, add }) => {
    let done = 0;
    for (const colon of anchors.url) {
      if (colon < done) continue;
      const url = readUrl(text, colon);
      if (url === undefined || url.host === "" || url.scheme === "file") continue;
      const after = text.charCodeAt(url.hostEnd);
      if (after === 37 || after === 123 || after === 36) continue; // a template continues the host
      if (isInternalHost({ host: url.host, scheme: url.scheme, loopback })) {
        done = urlEnd(text, url);
        add({ type: "INTERNAL_URL", start: url.start, end: done });
      }
    }
  },
});
