import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import { prmEnvironment, readersEnvironment, trainerEnvironment } from "../trainer/venv.ts";

/*
 * What takes minutes to install, for which tests would wait: made while the first of them run. A test that needs it
 * sooner waits for it, and tells what is wrong where it cannot be made.
 */

await Promise.allSettled([python(), docker()]);

async function python(): Promise<void> {
  const environment = await trainerEnvironment();
  if (environment.kind === "absent") return;
  await prmEnvironment();
  await readersEnvironment();
}

async function docker(): Promise<void> {
  const offer = await offerSandboxDocker();
  if (offer.kind === "ready") await offer.docker.close();
}
