"""What made a run: the versions of its packages, and the program's commit."""

import hashlib
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .errors import TrainerError

_PACKAGES = (
    "torch", "transformers", "accelerate", "peft", "numpy", "safetensors", "bitsandbytes", "flash-attn", "liger-kernel",
    "onnx", "onnxscript", "onnxruntime",
)  # fmt: skip
_MIB = 1 << 20


def versions() -> dict[str, str]:
    """Of Python, and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def program_commit() -> str | None:
    """As GYMLINE_COMMIT says, else that of the repository the program lies in, with `-dirty` where files were changed.

    None for an installed package, whose version says it all.
    """
    given = os.environ.get("GYMLINE_COMMIT")
    if given:
        return given
    # The package may be installed below somebody else's repository, which is not the program's.
    folder = Path(__file__).resolve().parent
    root = folder.parents[2] if len(folder.parents) > 2 else None
    if root is None or not (root / ".git").exists() or not (root / "package.json").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def sha256(path: Path) -> str:
    """Of a file. Raises TrainerError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_MIB):
                digest.update(block)
    except OSError as error:
        raise TrainerError(f"it cannot be read: {error.strerror}", str(path)) from error
    return digest.hexdigest()
