import { isWord } from "../characters.ts";
import type { Detector } from "../detector.ts";

/** Areas 000, 666 and 900–999, group 00 and serial 0000 were never issued. */
const ssn = /(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w]|[.-]\d)/y;

/** US social security numbers in their dashed form. Matches imply a `number` anchor. */
export const socialSecurityNumber: Detector = {
  name: "social-security-number",
  detect: ({ text, anchors, add }) => {
    for (const start of anchors.number) {
      const before = text.charCodeAt(start - 1);
      if (isWord(before) || before === 45 || before === 46) continue;
      ssn.lastIndex = start;
      const match = ssn.exec(text)?.[0];
      if (match !== undefined) add({ type: "SSN", start, end: start + match.length });
    }
  },
};
