import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { DeployedResources } from "../../../shared/adapters/aws/find-deployment.ts";
import type { OperatorClients } from "../../../shared/adapters/aws/operator-clients.ts";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import {
  type DeploymentStatus,
  deploymentStatus,
  needsSomebody,
} from "../../../shared/operations/deployment-status.ts";
import { type DeploymentOption, deploymentOption, inDeployment, wholeNumber } from "../deployment.ts";
import { EXIT } from "../exit-code.ts";
import { examples } from "../options.ts";
import { statusReport } from "../status-report.ts";
import { out } from "../terminal.ts";

interface StatusOptions extends DeploymentOption {
  readonly json?: boolean;
  readonly watch?: string;
}

export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .description(
      "show how a deployment is doing: queues, catalog, datasets, jobs; exit code 2: a stage gave up, or an export failed",
    )
    .option("--watch <seconds>", "look again and again, so many seconds apart")
    .option("--json", "print one JSON document a look");
  deploymentOption(command);
  examples(command, ["gymline status", "gymline status --deployment team --watch 10"]).action(status);
}

async function status(options: StatusOptions): Promise<void> {
  const seconds = wholeNumber("--watch", options.watch);
  await inDeployment(options, async (deployment, clients) => {
    const ports = await statusPorts(deployment, clients);
    for (;;) {
      const found = await deploymentStatus(deployment.name, ports);
      print(found, options);
      process.exitCode = needsSomebody(found) ? EXIT.rejected : EXIT.done;
      if (seconds === undefined) return;
      await sleep(seconds * 1000);
    }
  });
}

function print(found: DeploymentStatus, options: StatusOptions): void {
  if (options.json === true) {
    out(JSON.stringify(found));
    return;
  }
  // A terminal that is watched shows the latest look only; a file keeps them all.
  if (options.watch !== undefined && process.stdout.isTTY === true) process.stdout.write("\u001b[2J\u001b[H");
  out(statusReport(found, systemClock.now()));
}

async function statusPorts(deployment: DeployedResources, clients: OperatorClients) {
  const { deployedStatusPorts } = await import("../../../shared/adapters/aws/status-ports.ts");
  return deployedStatusPorts(deployment, { clients, clock: systemClock });
}
