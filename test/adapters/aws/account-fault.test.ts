import { describe, expect, it } from "vitest";
import { AwsAccessError, accountFault, explained } from "../../../shared/adapters/aws/account-fault.ts";
import { QueueSendError } from "../../../shared/ports/queue.ts";

function awsError(name: string, status = 400, more: object = {}): Error {
  return Object.assign(new Error(`${name} happened`), { name, $metadata: { httpStatusCode: status } }, more);
}

describe("a fault of AWS", () => {
  it("is told by what one can do about it", () => {
    const kinds = [
      [awsError("CredentialsProviderError"), "credentials"],
      [awsError("ExpiredToken"), "credentials"],
      [awsError("UnrecognizedClientException"), "credentials"],
      [new Error("Region is missing"), "region"],
      [awsError("AccessDeniedException"), "permission"],
      [awsError("403", 403), "permission"],
      [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), "unreachable"],
      [awsError("InvalidAction"), "unsupported"],
      [awsError("Unknown"), "unsupported"],
      [awsError("ThrottlingException"), "other"],
    ] as const;
    for (const [error, kind] of kinds) {
      expect([error.name, accountFault(error).kind]).toEqual([error.name, kind]);
      expect(accountFault(error).remedy).not.toBe("");
    }
  });

  it("becomes an error that says what to do, also inside of a failed sending", () => {
    const denied = awsError("AccessDenied", 403);
    for (const error of [denied, new QueueSendError("q", ["a"], { cause: denied })]) {
      const found = explained("it failed", error);
      expect(found).toBeInstanceOf(AwsAccessError);
      expect(String(found)).toContain("it failed: the credentials may not do this (AccessDenied); ask for");
    }
  });

  it("is not seen in faults of the program", () => {
    for (const error of [new TypeError("x is undefined"), "text", undefined]) {
      expect(explained("it failed", error)).toBe(error);
    }
    const explainedAlready = explained("first", awsError("ExpiredToken"));
    expect(explained("second", explainedAlready)).toBe(explainedAlready);
  });
});
