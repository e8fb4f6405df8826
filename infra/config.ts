import { existsSync, readFileSync } from "node:fs";
import { type Deployment, readDeployment } from "../shared/contracts/deployment-files.ts";

/** The deployment that `gymline.deploy.json` (or the file `path`) describes. @throws DeploymentConfigError */
export function loadDeployment(place: {
  readonly folder: string;
  readonly path?: string | undefined;
}): Deployment {
  return readDeployment(place, {
    read: (path) => readFileSync(path, "utf8"),
    bytes: (path) => readFileSync(path),
    exists: existsSync,
  });
}
