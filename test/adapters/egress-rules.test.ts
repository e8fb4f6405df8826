import { expect, it } from "vitest";
import { refusedTargets, routingRules, squidConfig } from "../../shared/adapters/docker/egress-rules.ts";

const LIST = {
  allow: ["pypi.org", "*.example.org:8443", "mirror.corp.test:8080"],
  privateRanges: ["10.20.0.0/16"],
};

it("a proxy's configuration refuses by name first, then by address, then allows by port", () => {
  const lines = squidConfig(LIST, ["203.0.114.9"]).split("\n");
  const access = lines.filter((line) => line.startsWith("http_access"));
  expect(access).toEqual([
    "http_access deny !tunnel !web",
    "http_access deny !listed",
    "http_access deny refused",
    "http_access allow name_0 port_8443",
    "http_access allow name_1 port_8080",
    "http_access allow tunnel name_2 port_443",
    "http_access allow !tunnel name_2 port_80",
    "http_access deny all",
  ]);
  expect(lines).toEqual(
    expect.arrayContaining([
      "http_port 127.0.0.1:3128",
      "cache deny all",
      "acl name_0 dstdom_regex -n -i [^.]\\.example\\.org$",
      "acl name_1 dstdomain -n mirror.corp.test",
      "acl name_2 dstdomain -n pypi.org",
      "acl listed any-of name_0 name_1 name_2",
      "acl port_8443 port 8443",
      "acl refused dst 169.254.0.0/16",
      "acl refused dst fc00::/7",
      "acl refused dst 203.0.114.9/32",
    ]),
  );
  // 10.0.0.0/8 but for what is open.
  const ten = lines.filter((line) => line.startsWith("acl refused dst 10."));
  expect(ten).toContain("acl refused dst 10.21.0.0/16");
  expect(ten).toHaveLength(8);
});

it("an address of this machine is refused unless its range is open", () => {
  const config = squidConfig(LIST, ["10.20.0.7", "203.0.114.9"]);
  expect(config).not.toContain("10.20.0.7");
  expect(config).toContain("203.0.114.9/32");
});

it("routing rules let what is open come before what is refused", () => {
  const rules = routingRules(LIST, ["203.0.114.9"]).trim().split("\n");
  expect(rules[0]).toBe("rule add pref 200 to 10.20.0.0/16 lookup main");
  expect(rules.slice(1).every((rule) => /^rule add pref 300 to [\d./]+ prohibit$/.test(rule))).toBe(true);
  for (const range of ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "203.0.114.9/32"]) {
    expect(rules).toContain(`rule add pref 300 to ${range} prohibit`);
  }
});

it("what was refused is counted by target, and nothing else of the log is", () => {
  const log = [
    "TCP_DENIED GET b.org 80",
    "TCP_MISS GET pypi.org 80",
    "TCP_DENIED CONNECT a.org 443",
    "NONE_NONE - - -",
    "TCP_DENIED CONNECT a.org 443",
    "TCP_DENIED",
    "",
  ].join("\n");
  expect(refusedTargets(log)).toEqual([
    { target: "a.org:443", count: 2 },
    { target: "b.org:80", count: 1 },
  ]);
});
