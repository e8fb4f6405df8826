import type { Detector } from "../detector.ts";

const header = /-----BEGIN ?(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y;
/** PEM content: base64, armour headers, whitespace, and line ends written as escapes. */
const content = /^[A-Za-z0-9+/=\s.,:;()_\\@<>"'-]*$/;
const footer = /-----END ?(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
/** No key block is longer. */
const MAX_BLOCK = 65_536;
/** Content of a block without END: full base64 lines, so that prose after it stays. */
const truncated =
  /(?:(?:\s|\\+[nrt])*(?:(?:Proc-Type|DEK-Info|Version|Comment)[^\n\\]{0,200}|[A-Za-z0-9+/=]{16,1024})){0,2000}(?:(?:\s|\\+[nrt])*[A-Za-z0-9+/=]{1,80}(?=\s|\\|"|'|$|\.{3}))?/y;

/**
 * PEM and PGP private-key blocks, with real or escaped line ends, also when the end is cut off.
 * Every match implies a `pem` anchor.
 */
export const privateKey: Detector = {
  name: "private-key",
  detect: ({ text, anchors, add }) => {
    if (anchors.pem.length === 0) return;
    let done = 0;
    // The next footer; looked for once for each block, so that many headers stay linear.
    footer.lastIndex = 0;
    let end = footer.exec(text) ?? undefined;
    for (const [index, start] of anchors.pem.entries()) {
      if (start < done) continue;
      header.lastIndex = start;
      const head = header.exec(text);
      if (head === null) continue;
      const bodyStart = start + head[0].length;
      if (end !== undefined && end.index < bodyStart) {
        footer.lastIndex = bodyStart;
        end = footer.exec(text) ?? undefined;
      }
      const next = anchors.pem[index + 1] ?? Number.POSITIVE_INFINITY;
      if (
        end !== undefined &&
        end.index < next &&
        end.index - bodyStart <= MAX_BLOCK &&
        content.test(text.slice(bodyStart, end.index))
      ) {
        done = end.index + end[0].length;
      } else {
        truncated.lastIndex = bodyStart;
        done = bodyStart + (truncated.exec(text)?.[0].length ?? 0);
      }
      add({ type: "PRIVATE_KEY", start, end: done });
    }
  },
};
