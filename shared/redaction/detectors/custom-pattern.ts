import type { RedactionConfig } from "../config.ts";
import type { Detector } from "../detector.ts";

/** A detector for one user pattern; it runs over every text, without anchors. */
export const createCustomPattern = (pattern: RedactionConfig["custom"][number]): Detector => {
  const regex = new RegExp(pattern.regex, `${pattern.flags}g`);
  return {
    name: `custom:${pattern.name}`,
    detect: ({ text, add }) => {
      for (const match of text.matchAll(regex)) {
        if (match[0] !== "")
          add({ type: pattern.name, start: match.index, end: match.index + match[0].length });
      }
    },
  };
};
