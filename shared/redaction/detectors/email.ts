import { isAlphanumeric, isDigit, isLetter } from "../characters.ts";
import type { Detector } from "../detector.ts";

/** Last labels that are file extensions or attributes in code ("icon@2x.png", "q@k.transpose"). */
const notTopLevel = new Set(
  "png jpg jpeg gif svg webp ico css js mjs cjs ts tsx jsx json yaml yml toml lock txt md html xml tgz tar gz zip whl jar exe dll transpose reshape weight weights bias data grad shape size dtype values value item conj inv view permute numpy flatten mean sum fixture parametrize usefixtures skip skipif mark setter getter deleter property staticmethod classmethod cached_property contextmanager wraps route get post put delete patch command group option tag filter task".split(
    " ",
  ),
);

/** Local parts of clone addresses ("git@github.com:org/repo"), which name no person. */
const serviceAccounts = new Set(["git", "hg", "svn", "gitea", "aur"]);

const isLocal = (code: number): boolean =>
  isAlphanumeric(code) ||
  code === 46 ||
  code === 95 ||
  code === 37 ||
  code === 43 ||
  code === 45 ||
  code === 39;

const domain = /(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}([A-Za-z]{2,24})(?![A-Za-z0-9_])/y;
const unicodeDomain =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,4}(?:\p{Script=Han}{2,8}|[A-Za-z]{2,24})/uy;

/** E-mail addresses. Every match implies an `at` anchor. */
export const email: Detector = {
  name: "email",
  detect: ({ text, anchors, add }) => {
    for (const at of anchors.at) {
      let start = at;
      while (start > 0 && at - start < 64 && isLocal(text.charCodeAt(start - 1))) start -= 1;
      // Leading dots, quotes and dashes belong to the surrounding text.
      while (start < at && !isAlphanumeric(text.charCodeAt(start)) && text.charCodeAt(start) !== 95)
        start += 1;
      // "\n" or "\t" written as an escape is not part of the name: "\nalice@…"
      if (text.charCodeAt(start - 1) === 92 && /[nrt]/.test(text.charAt(start)) && at - start > 1) start += 1;
      if (start === at || text.charCodeAt(at - 1) === 46) continue;
      domain.lastIndex = at + 1;
      let match = domain.exec(text);
      if (match === null && text.charCodeAt(at + 1) > 127) {
        unicodeDomain.lastIndex = at + 1;
        match = unicodeDomain.exec(text);
      }
      if (match === null) continue;
      const host = match[0];
      const top = match[1] ?? "";
      const end = at + 1 + host.length;
      const next = text.charCodeAt(end);
      if (next === 40 || next === 91) continue; // a call or an index: matrix product in code
      if (notTopLevel.has(top.toLowerCase())) continue;
      if (/^[a-z]+[A-Z]/.test(top)) continue; // camelCase attribute
      if (/^\d+(?:\.\d+)+(?:[.-]|$)/.test(host)) continue; // package@1.2.3-beta.rc
      if (/^(?:self|this|cls|torch|np|pytest|app)\./.test(host)) continue;
      if (serviceAccounts.has(text.slice(start, at).toLowerCase())) continue;
      if (at - start === 1 && !isLetter(text.charCodeAt(start)) && !isDigit(text.charCodeAt(start))) continue;
      add({ type: "EMAIL", start, end });
    }
  },
};
