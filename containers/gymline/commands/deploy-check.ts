import type { Command } from "commander";
import type { Deployment } from "../../../shared/contracts/deployment-files.ts";
import { type DeployCheck, fail, ok, type Verdict } from "../../../shared/operations/deploy-check.ts";
import { deployChecks, hasFailed } from "../../../shared/operations/deploy-checks.ts";
import { pc } from "../colours.ts";
import { deploymentFile } from "../deployment.ts";
import { EXIT } from "../exit-code.ts";
import { isExpected, messageOf } from "../faults.ts";
import { examples } from "../options.ts";
import { many, out, printable } from "../terminal.ts";

interface CheckOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function addDeployCheck(program: Command): void {
  const command = program
    .command("deploy-check")
    .description(
      "check a deployment's files against the account, before anything is made; exit code 1: it cannot work",
    )
    .option("-c, --config <file>", "deployment file (default: ./gymline.deploy.json, else all defaults)")
    .option("--json", "print one JSON document instead of text");
  examples(command, [
    "gymline deploy-check",
    "gymline deploy-check --config team/gymline.deploy.json",
  ]).action(check);
}

async function check(options: CheckOptions): Promise<void> {
  const checks = await allChecks(options);
  if (options.json === true) {
    out(JSON.stringify({ schema: "gymline.deploy-check.v1", ok: !hasFailed(checks), checks }));
  } else print(checks);
  if (hasFailed(checks)) process.exitCode = EXIT.fault;
}

async function allChecks(options: CheckOptions): Promise<readonly DeployCheck[]> {
  const name = "configuration";
  let deployment: Deployment;
  try {
    deployment = deploymentFile(options.config);
  } catch (error) {
    if (!isExpected(error)) throw error;
    // Without it there is nothing to compare the account with.
    return [fail(name, messageOf(error), "correct the file and run this again")];
  }
  const { config, settings } = deployment;
  const parts = [many(config.datasets.length, "dataset"), many(settings.mappings.length, "mapping")];
  const good = ok(name, `"${config.name}", with ${parts.join(" and ")}`);
  const [{ operatorClients }, { lookIntoAccount }] = await Promise.all([
    import("../../../shared/adapters/aws/operator-clients.ts"),
    import("../../../shared/adapters/aws/look-into-account.ts"),
  ]);
  // The deployment goes where its file says, whatever the shell's region is.
  const clients = operatorClients({
    ...process.env,
    ...(config.region === undefined ? {} : { AWS_REGION: config.region }),
  });
  try {
    return [good, ...deployChecks(config, await lookIntoAccount(config, clients))];
  } finally {
    await clients.close();
  }
}

const MARKS: Readonly<Record<Verdict, string>> = {
  ok: pc.green("✓"),
  warn: pc.yellow("!"),
  fail: pc.red("✗"),
};

function print(checks: readonly DeployCheck[]): void {
  for (const { name, verdict, says, remedy } of checks) {
    out(`  ${MARKS[verdict]} ${printable(name)}: ${printable(says)}`);
    if (remedy !== undefined) out(`    ${pc.dim("→")} ${printable(remedy)}`);
  }
  const count = (verdict: Verdict): number => checks.filter((one) => one.verdict === verdict).length;
  out(`\n${count("ok")} in order, ${many(count("warn"), "warning")}, ${many(count("fail"), "failure")}`);
}
