import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_IMAGE } from "../../shared/sandbox/sandbox-limits.ts";

export const DEBIAN = "gymline-test-debian:bookworm";
const UBUNTU = "gymline-test-ubuntu:noble";
const PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Authorities that this machine trusts besides the usual ones; `ca-certificates` takes them up when it is installed. */
const AUTHORITIES = "usr/local/share/ca-certificates";

type Docker = (...args: readonly string[]) => string;

/**
 * What stands in the place of `debian:bookworm-slim`, which comes from a registry: the image of sandboxes (see
 * factories/sandbox-image.ts) without the packages that it has beyond a plain Debian. Gives its name.
 */
export function debianBase(docker: Docker): string {
  const own = "git git-man patch procps 'python3*' 'libpython3*'";
  using folder = mkdtempDisposableSync(join(tmpdir(), "gymline-debian-base-"));
  writeFileSync(
    join(folder.path, "Dockerfile"),
    `FROM ${DEFAULT_IMAGE}\n${PATH} LANG=\nWORKDIR /\nRUN apt-get purge -y -qq ${own}\n`,
  );
  docker("build", "--quiet", "--network", "none", "--tag", DEBIAN, folder.path);
  return DEBIAN;
}

/**
 * What stands in the place of an image on Ubuntu 24.04, such as NVIDIA's: its packages, from its mirror, and nothing of
 * CUDA. Made once and kept for the next test; needs root and debootstrap. Gives its name.
 */
export function ubuntuBase(docker: Docker): string {
  if (docker("images", "--quiet", UBUNTU) !== "") return UBUNTU;
  using folder = mkdtempDisposableSync(join(tmpdir(), "gymline-ubuntu-base-"));
  const root = join(folder.path, "root");
  const options = { stdio: "pipe", maxBuffer: 64 << 20 } as const;
  // The script is named, as older versions of debootstrap do not know this release.
  const args = ["noble", root, "http://archive.ubuntu.com/ubuntu", "gutsy"];
  execFileSync("debootstrap", ["--variant=minbase", "--components=main,universe", ...args], options);
  if (existsSync(join("/", AUTHORITIES))) {
    mkdirSync(join(root, AUTHORITIES), { recursive: true });
    cpSync(join("/", AUTHORITIES), join(root, AUTHORITIES), { recursive: true });
  }
  const archive = join(folder.path, "base.tar");
  execFileSync("tar", ["-C", root, "-cf", archive, "."], options);
  docker("import", "--change", PATH, archive, UBUNTU);
  return UBUNTU;
}
