import { isTemplate } from "../credential-value.ts";
import type { Detector } from "../detector.ts";

const bearer = /bearer[ \t]+([A-Za-z0-9._~+/=:-]{4,8192})/iy;
const basic = /basic[ \t]+([A-Za-z0-9+/]{6,8192}={0,2})/iy;

const afterAuthorization = (text: string, start: number): boolean =>
  /authorization["'\\]*\s*[:=,]\s*["'\\]*$/i.test(text.slice(Math.max(0, start - 32), start));

/**
 * `Bearer` and `Basic` credentials. In an Authorization header any value counts; in prose only one
 * that looks random ("bearer token" stays). Every match implies an `authScheme` anchor.
 */
export const authHeader: Detector = {
  name: "auth-header",
  detect: ({ text, anchors, add }) => {
    let done = 0;
    for (const anchor of anchors.authScheme) {
      if (anchor < done) continue;
      const isBearer = /^be/i.test(text.slice(anchor, anchor + 2));
      const pattern = isBearer ? bearer : basic;
      pattern.lastIndex = anchor;
      const match = pattern.exec(text);
      const raw = match?.[1];
      if (match === null || raw === undefined) continue;
      const value = raw.replace(/[.,:]+$/, "");
      const start = anchor + match[0].length - raw.length;
      if (value.length < 4 || isTemplate(value) || /^(?:realm|error|scope|token)\b/i.test(value)) continue;
      const inHeader = afterAuthorization(text, anchor);
      const random = isBearer
        ? value.length >= 8 &&
          (/\d/.test(value) ? /[A-Za-z]/.test(value) : /[._~+/=]/.test(value) || value.length >= 24)
        : Buffer.from(value, "base64").toString("latin1").includes(":");
      if (!inHeader && !random) continue;
      if (/^[._-]*$/.test(value)) continue;
      done = start + value.length;
      add({ type: isBearer ? "BEARER_TOKEN" : "BASIC_AUTH", start, end: done });
    }
  },
};
