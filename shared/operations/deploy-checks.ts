import type { DeploymentConfig } from "../contracts/deployment-config.ts";
import type { AccountFacts } from "./account-facts.ts";
import { type DeployCheck, fail, judged, ok, warn } from "./deploy-check.ts";
import { concurrencyCheck, vcpuChecks } from "./quota-checks.ts";

/** What the CDK's own synthesizer asks for. */
const LEAST_BOOTSTRAP = 6;

/** Judges what a deployment would meet in an account, before anything is made. */
export function deployChecks(config: DeploymentConfig, facts: AccountFacts): readonly DeployCheck[] {
  return [
    identityCheck(config, facts),
    stackCheck(facts),
    bootstrapCheck(facts),
    ...bucketChecks(facts),
    concurrencyCheck(config, facts),
    ...vcpuChecks(config, facts),
    networkCheck(config),
    alarmCheck(config),
  ];
}

export function hasFailed(checks: readonly DeployCheck[]): boolean {
  return checks.some(({ verdict }) => verdict === "fail");
}

function identityCheck(config: DeploymentConfig, { identity }: AccountFacts): DeployCheck {
  const name = "account and region";
  if (identity.kind === "unknown") return fail(name, identity.reason, identity.remedy);
  const { account, region } = identity.value;
  if (config.account !== undefined && config.account !== account) {
    return fail(
      name,
      `the credentials are of account ${account}, the configuration says ${config.account}`,
      "use the profile of that account (AWS_PROFILE), or correct `account`",
    );
  }
  return ok(name, `${account}, ${region}`);
}

function stackCheck({ stack }: AccountFacts): DeployCheck {
  const name = "stack";
  return judged(name, stack, (status) => {
    if (status === null) return ok(name, "none yet: it will be made");
    if (status.endsWith("_IN_PROGRESS")) {
      return fail(name, `it is being changed (${status})`, "wait until that has ended");
    }
    if (/^(?:ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED)$/.test(status)) {
      return fail(name, `it could not be made (${status})`, "delete it in the CloudFormation console first");
    }
    return ok(name, `it will be updated (${status})`);
  });
}

function bootstrapCheck({ bootstrap }: AccountFacts): DeployCheck {
  const name = "CDK bootstrap";
  return judged(name, bootstrap, (version) => {
    if (version === null) return fail(name, "there is none", "run once: npx cdk bootstrap");
    if (version < LEAST_BOOTSTRAP) {
      return fail(name, `version ${version}, older than ${LEAST_BOOTSTRAP}`, "renew it: npx cdk bootstrap");
    }
    return ok(name, `version ${version}`);
  });
}

function bucketChecks({ buckets, stack }: AccountFacts): readonly DeployCheck[] {
  const isNew = stack.kind === "known" && stack.value === null;
  return buckets.map(({ name: bucket, state }) => {
    const name = `bucket ${bucket}`;
    return judged(name, state, (found) => {
      if (found === "free") return ok(name, "the name is free");
      if (found === "ours" && !isNew) return ok(name, "it is there");
      if (found === "ours") {
        return fail(
          name,
          "it is there, left by a deployment that was deleted: the new stack cannot make it",
          "bring it into the stack (cdk import), or empty and delete it",
        );
      }
      const where = found === "elsewhere" ? "it is in another region" : "somebody else has it";
      return fail(name, where, "give the deployment another `name`");
    });
  });
}

function networkCheck({ batch }: DeploymentConfig): DeployCheck {
  const name = "network of jobs";
  const { network } = batch;
  if (network.kind === "own") return ok(name, "a VPC of its own will be made");
  const { subnetIds, availabilityZones, vpcId } = network;
  if (new Set(subnetIds).size < subnetIds.length) {
    return fail(name, "a subnet is named twice", "name each subnet once");
  }
  if (subnetIds.length % availabilityZones.length !== 0) {
    return fail(
      name,
      `${subnetIds.length} subnets in ${availabilityZones.length} zones`,
      "name one zone for each subnet, in their order",
    );
  }
  if (availabilityZones.length < 2) {
    return warn(
      name,
      `${vpcId} in one zone only: Spot machines are often short there`,
      "name two more subnets",
    );
  }
  return ok(name, `${subnetIds.length} subnets of ${vpcId}; that they reach S3 and DynamoDB is not checked`);
}

function alarmCheck({ alarms }: DeploymentConfig): DeployCheck {
  const name = "alarms";
  const { email, webhook } = alarms;
  if (email === undefined && webhook === undefined) {
    return warn(name, "nobody is told", "set alarms.email or alarms.webhook");
  }
  if (email === undefined) return ok(name, "go to the webhook");
  return ok(name, `go to ${email}, who must confirm a mail from AWS after the first deployment`);
}
