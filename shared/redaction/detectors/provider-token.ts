import { isAlphanumeric, isWord, runEnd } from "../characters.ts";
import type { Detector } from "../detector.ts";
import { MAX_BODY, prefixesEndingAt } from "../token-prefixes.ts";

const telegram = /AA[A-Za-z0-9_-]{32,35}(?![A-Za-z0-9_-])/y;
const discordTail = /\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}/y;
const twilio = /[0-9a-f]{32}(?![0-9a-zA-Z])/y;

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

/**
 * Tokens known by their shape: provider prefixes, Telegram, Discord and Twilio keys.
 * Every match implies a `tokenPrefix` anchor.
 */
export const providerToken: Detector = {
  name: "provider-token",
  detect: ({ text, anchors, add }) => {
    let done = 0;
    // A run refused for want of digits has none further on either; trying again would not be linear.
    let refused = 0;
    for (const anchor of anchors.tokenPrefix) {
      if (anchor < done) continue;
      const found = (start: number, end: number): void => {
        done = Math.max(done, end);
        add({ type: "API_KEY", start, end });
      };
      for (const { literal, body, accept } of prefixesEndingAt(text, anchor)) {
        if (accept !== undefined && anchor < refused) continue;
        const tail = matchAt(body, text, anchor + 1);
        if (tail === undefined) continue;
        const matched = anchor + 1 + tail.length;
        const end = tail.length < MAX_BODY ? matched : runEnd(text, matched);
        if (accept === undefined || accept(tail)) found(anchor + 1 - literal.length, end);
        else refused = Math.max(refused, end);
      }
      switch (text.charCodeAt(anchor)) {
        case 58: {
          let start = anchor;
          while (anchor - start < 12 && text.charCodeAt(start - 1) >= 48 && text.charCodeAt(start - 1) <= 57)
            start -= 1;
          if (anchor - start < 8 || anchor - start > 11) break;
          const tail = matchAt(telegram, text, anchor + 1);
          if (tail !== undefined) found(start, anchor + 1 + tail.length);
          break;
        }
        case 46: {
          let start = anchor;
          while (
            anchor - start < 32 &&
            (isWord(text.charCodeAt(start - 1)) || text.charCodeAt(start - 1) === 45)
          ) {
            start -= 1;
          }
          if (anchor - start < 23 || anchor - start > 30 || !"MNO".includes(text.charAt(start))) break;
          const tail = matchAt(discordTail, text, anchor);
          if (tail !== undefined) found(start, anchor + tail.length);
          break;
        }
        case 75: {
          if (text.charCodeAt(anchor - 1) !== 83 || isAlphanumeric(text.charCodeAt(anchor - 2))) break;
          const tail = matchAt(twilio, text, anchor + 1);
          if (tail !== undefined) found(anchor - 1, anchor + 1 + tail.length);
          break;
        }
        default:
          break;
      }
    }
  },
};
