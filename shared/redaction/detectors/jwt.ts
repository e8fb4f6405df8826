import { runEnd } from "../characters.ts";
import type { Detector } from "../detector.ts";

/** A signed token has three parts, an encrypted one five; a cut one may have two. */
const MAX_PARTS = 5;

/** JSON web tokens. Every match implies a `jwt` anchor. */
export const jwtDetector: Detector = {
  name: "jwt",
  detect: ({ text, anchors, add }) => {
    let done = 0;
    for (const start of anchors.jwt) {
      if (start < done) continue;
      const headEnd = runEnd(text, start);
      let end = headEnd;
      for (let part = 1; part < MAX_PARTS && text.charCodeAt(end) === 46; part += 1) {
        const next = runEnd(text, end + 1);
        if (next === end + 1) break;
        end = next;
      }
      // Nothing in a run without a payload can be a header either.
      done = headEnd;
      if (end < headEnd + 4 || headEnd - start > 65_536) continue;
      const header = Buffer.from(text.slice(start, headEnd), "base64url").toString("latin1");
      if (!/"(?:alg|typ|enc|kid|cty)"/.test(header)) continue;
      done = end;
      add({ type: "JWT", start, end });
    }
  },
};
