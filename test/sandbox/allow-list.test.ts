import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specOptions } from "../../containers/gymline/sandbox-options.ts";
import { UsageError } from "../../containers/gymline/usage-error.ts";
import { cidrOf, cidrText, REFUSED_RANGES, within, without } from "../../shared/sandbox/address-ranges.ts";
import {
  AllowListError,
  allowedTarget,
  allowedTargets,
  beyond,
  openedRanges,
} from "../../shared/sandbox/allow-list.ts";
import { checkSpec, sandboxSpec } from "../../shared/sandbox/sandbox-limits.ts";

describe("an entry of an allow-list", () => {
  it.each([
    ["pypi.org", { host: "pypi.org", below: false, port: null }],
    ["PyPI.org:8443", { host: "pypi.org", below: false, port: 8443 }],
    ["*.pythonhosted.org", { host: "pythonhosted.org", below: true, port: null }],
    ["*.example.co.uk:1", { host: "example.co.uk", below: true, port: 1 }],
    ["mirror", { host: "mirror", below: false, port: null }],
    ["github.io", { host: "github.io", below: false, port: null }],
    ["*.corp.internal", { host: "corp.internal", below: true, port: null }],
    ["9.9.9.9:65535", { host: "9.9.9.9", below: false, port: 65535 }],
    ["xn--bcher-kva.example", { host: "xn--bcher-kva.example", below: false, port: null }],
  ])("%s is read", (entry, target) => {
    expect(allowedTarget(entry)).toEqual(target);
  });

  it.each([
    ["", /is no name of a host/],
    ["*", /would allow everything/],
    ["*.com", /public suffix/],
    ["*.co.uk", /public suffix/],
    ["*.github.io", /public suffix/],
    ["*.s3.amazonaws.com", /public suffix/],
    ["*.internal", /public suffix/],
    ["*.*.com", /may stand only before the first dot/],
    ["a.*.com", /may stand only before the first dot/],
    ["*example.org", /may stand only before the first dot/],
    ["https://pypi.org", /write the name alone/],
    ["pypi.org/simple", /write the name alone/],
    ["user@pypi.org", /write the name alone/],
    ["pypi.org pypi.org", /write the name alone/],
    ["pypi.org\nhttp_access allow all", /write the name alone/],
    ["pypi.org:", /no port from 1 to 65535/],
    ["pypi.org:0", /no port from 1 to 65535/],
    ["pypi.org:65536", /no port from 1 to 65535/],
    ["pypi.org:https", /no port from 1 to 65535/],
    ["pypi.org:1:2", /more than one port/],
    ["[::1]", /IPv6/],
    ["fd00:ec2::254", /IPv6/],
    [".pypi.org", /is no name of a host/],
    ["pypi.org.", /is no name of a host/],
    ["pypi..org", /is no name of a host/],
    ["-a.org", /is no name of a host/],
    [`${"a".repeat(64)}.org`, /is no name of a host/],
    ["pypi.org#", /is no name of a host/],
    ['"pypi.org"', /is no name of a host/],
    ["bücher.example", /Punycode/],
    ["2130706433", /four decimal numbers/],
    ["127.1", /four decimal numbers/],
    ["0x7f000001", /four decimal numbers/],
    ["0177.0.0.1", /four decimal numbers/],
    ["1.2.3.4.5", /four decimal numbers/],
    ["localhost", /this machine itself/],
    ["a.localhost:80", /this machine itself/],
    ["*.9.9.9.9", /wildcard over an address/],
  ])("%j is refused, and why is said", (entry, why) => {
    expect(() => allowedTarget(entry)).toThrow(AllowListError);
    expect(() => allowedTarget(entry)).toThrow(why);
    expect(() => allowedTarget(entry)).toThrow(JSON.stringify(entry));
  });
});

describe("an allow-list", () => {
  it("has each entry once, in one order", () => {
    const list = { allow: ["b.org", "A.org", "a.org", "b.org"] };
    expect(allowedTargets(list).map(({ host }) => host)).toEqual(["a.org", "b.org"]);
  });

  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1:80",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "0.0.0.0",
  ])("cannot name %s, which is no public address", (entry) => {
    expect(() => allowedTargets({ allow: [entry] })).toThrow(/is not a public address/);
  });

  it("can name an address in a private range that is open", () => {
    const list = { allow: ["10.1.2.3:8080"], privateRanges: ["10.1.0.0/16"] };
    expect(allowedTargets(list)).toEqual([{ host: "10.1.2.3", below: false, port: 8080 }]);
    expect(() => allowedTargets({ ...list, allow: ["10.2.0.1"] })).toThrow(/is not a public address/);
  });

  it.each(["10.1.2.3", "10.0.0.1/8", "10.0.0.0/33", "fd00::/8", "10.0.0.0/", "10.0.0/8", "010.0.0.0/8"])(
    "has no private range %j",
    (text) => {
      expect(() => openedRanges({ allow: [], privateRanges: [text] })).toThrow(/write an IPv4 range/);
    },
  );

  it.each([
    "0.0.0.0/0",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "169.254.169.254/32",
    "8.8.8.0/24",
    "224.0.0.0/4",
    "8.0.0.0/6",
  ])("cannot open %s", (text) => {
    expect(() => openedRanges({ allow: [], privateRanges: [text] })).toThrow(/cannot be opened/);
  });

  it("allows something, and not without an end", () => {
    expect(() => allowedTargets({ allow: [] })).toThrow(/allows nothing/);
    const many = Array.from({ length: 257 }, (_, index) => `h${index}.org`);
    expect(() => allowedTargets({ allow: many })).toThrow(/256 entries at most/);
  });

  it("is checked where a sandbox is asked for", () => {
    expect(() => checkSpec(sandboxSpec({ network: { allow: ["pypi.org"] } }))).not.toThrow();
    const refused = expect.objectContaining({ name: "SandboxError", reason: "refused" });
    expect(() => checkSpec(sandboxSpec({ network: { allow: ["*.com"] } }))).toThrow(refused);
  });

  it.each([
    [["a.org"], ["a.org"], undefined],
    [["A.org"], ["a.org"], undefined],
    [["a.org"], ["b.org", "*.a.org"], "a.org"],
    [["x.a.org", "*.x.a.org"], ["*.a.org"], undefined],
    [["*.a.org"], ["x.a.org"], "*.a.org"],
    [["xa.org"], ["*.a.org"], "xa.org"],
    [["a.org:80"], ["a.org"], "a.org:80"],
    [["a.org"], ["a.org:443"], "a.org"],
    [["x.a.org:8"], ["*.a.org:8"], undefined],
  ])("of a task, %j, is a part of %j but for %j", (asked, permitted, more) => {
    expect(beyond(asked, permitted)).toBe(more);
  });
});

describe("the options of gymline sandbox", () => {
  it("make a network of what is allowed, and none where nothing is", () => {
    expect(specOptions({}).network).toBeUndefined();
    const allow = ["pypi.org"];
    expect(specOptions({ allow }).network).toEqual({ allow });
    const both = specOptions({ allow, allowPrivate: ["10.20.0.0/16"] });
    expect(both.network).toEqual({ allow, privateRanges: ["10.20.0.0/16"] });
  });

  it.each([
    [{ allow: ["*.com"] }, /--allow: .*public suffix/],
    [{ allow: ["a.org"], allowPrivate: ["8.8.8.0/24"] }, /--allow: .*cannot be opened/],
    [{ allowPrivate: ["10.0.0.0/8"] }, /--allow-private opens nothing without --allow/],
  ])("%j are wrong usage", (options, why) => {
    expect(() => specOptions(options)).toThrow(UsageError);
    expect(() => specOptions(options)).toThrow(why);
  });
});

describe("ranges of addresses", () => {
  it("lose what is taken out, and nothing else", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const range = fc.tuple(byte, byte, fc.integer({ min: 8, max: 32 })).map(([a, b, bits]) => {
      const size = 2 ** (32 - bits);
      const start = Math.floor((10 * 2 ** 24 + a * 2 ** 16 + b * 2 ** 8) / size) * size;
      const address = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join(".");
      return cidrOf(`${address}/${bits}`) ?? { address: "10.0.0.0", bits: 8 };
    });
    fc.assert(
      fc.property(range, fc.array(range, { maxLength: 4 }), byte, byte, byte, (whole, taken, a, b, c) => {
        const one = { address: `10.${a}.${b}.${c}`, bits: 32 };
        const left = without([whole], taken);
        const expected = within(one, whole) && !taken.some((each) => within(one, each));
        expect(left.some((each) => within(one, each))).toBe(expected);
      }),
    );
  });

  it("are written so that they can be read again", () => {
    for (const range of REFUSED_RANGES) expect(cidrOf(cidrText(range))).toEqual(range);
    expect(
      without([{ address: "10.0.0.0", bits: 30 }], [{ address: "10.0.0.1", bits: 32 }]).map(cidrText),
    ).toEqual(["10.0.0.0/32", "10.0.0.2/31"]);
  });
});
