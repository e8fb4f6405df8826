import type { Detector } from "../detector.ts";

const header = /eyJ[A-Za-z0-9_-]*={0,2}/y;
/** Header and payload, optionally a signature; encrypted tokens have five parts. */
const jwt = /eyJ[A-Za-z0-9_-]{7,}={0,2}\.[A-Za-z0-9_-]{4,}={0,2}(?:\.[A-Za-z0-9_-]*){0,3}/y;

/** JSON web tokens. Every match implies a `jwt` anchor. */
export const jwtDetector: Detector = {
  name: "jwt",
  detect: ({ text, anchors, add }) => {
    let done = 0;
    for (const start of anchors.jwt) {
      if (start < done) continue;
      header.lastIndex = start;
      const headEnd = start + (header.exec(text)?.[0].length ?? 0);
      if (text.charCodeAt(headEnd) !== 46) {
        done = headEnd; // no dot: nothing in this run can be a header
        continue;
      }
      jwt.lastIndex = start;
      const match = jwt.exec(text);
      if (match === null) continue;
      const decoded = Buffer.from(match[0].slice(0, match[0].indexOf(".")), "base64url").toString("latin1");
      if (!/"(?:alg|typ|enc|kid|cty)"/.test(decoded)) continue;
      done = start + match[0].length;
      add({ type: "JWT", start, end: done });
    }
  },
};
